# Everybody may read, but only administrators may change something. Real users are needed,
# because the daemon gets its clients' users from the kernel.
. /systemtest/assert.bash

level() { curl -sf --unix-socket /run/providerd/providerd.sock http://localhost/api/daemon | field log_level; }

fails "a plain user may not change the log level" 4 as alice providerctl log-level debug
denied=$(as alice providerctl log-level debug 2>&1) || true
has "and is told who may" "access denied" "$denied"
has "and what to type" "sudo providerctl log-level" "$denied"
has "or which group to join" "usermod -aG providerd" "$denied"
is "nothing changed" info "$(level)"
fails "nor may a plain user reload" 4 as alice providerctl reload
fails "nor pause" 4 as alice providerctl pause ollama
fails "nor read the log" 4 as alice providerctl logs

usermod -aG providerd bob
ok "a member of the group providerd may" as bob providerctl log-level debug
is "and it did change" debug "$(level)"
ok "root may" providerctl log-level info
is "and back it is" info "$(level)"
has "the journal says who it was" "uid=$(id -u bob)" "$(journal | tr -d '"' | sed 's/uid:/uid=/g')"

ok "a plain user may refresh" as alice providerctl refresh ollama
as alice bash -c 'for i in $(seq 20); do providerctl refresh ollama; done' >/dev/null 2>&1 || true
ok "and the daemon stays healthy" as alice providerctl health
