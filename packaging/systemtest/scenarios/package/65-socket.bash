# The socket never has a wrong mode, not even briefly: neither while the service makes it,
# nor when systemd does (with optional socket activation).
. /systemtest/assert.bash

socket=/run/providerd/providerd.sock
mode() { stat -c '%A %U' $socket; }
identity() { stat -c '%i %A' $socket; }
answers() { as alice curl -sf --max-time 60 --unix-socket $socket http://localhost/healthz; }

# The kernel reports every change in the folder, from before the socket exists.
systemctl stop providerd
/systemtest/standin -watch /run/providerd >/systemtest/watched 2>&1 &
watcher=$!
until_true 60 grep -q watching /systemtest/watched
systemctl start providerd
ok "the service answers" until_true 60 answers
kill $watcher
seen=$(grep 'providerd.sock' /systemtest/watched | sort | uniq -c | sed 's/^ *//')
say "seen of the socket: ${seen//$'\n'/, }"
has "it appears with its final mode" "providerd.sock Srw-rw-rw-" "$seen"
hasnt "nothing about it changes afterwards" changed "$seen"
hasnt "no other mode is ever seen" "providerd.sock Srw-------" "$seen"
hasnt "and no change was missed" lost "$(cat /systemtest/watched)"

systemctl stop providerd
systemctl disable --quiet providerd
ok "the socket unit can be enabled" systemctl enable --quiet --now providerd.socket
is "its socket is everybody's" "srw-rw-rw-" "$(mode | cut -d' ' -f1)"
is "nothing runs yet" inactive "$(systemctl is-active providerd || true)"
before=$(identity)
ok "the first client starts the service, and is answered" as alice providerctl status
is "it runs" active "$(systemctl is-active providerd)"
ok "a plain user still may not change anything" bash -c 'runuser -u alice -- providerctl log-level debug; [ $? = 4 ]'
is "it is the same socket" "$before" "$(identity)"

# While it restarts, clients wait in the socket's queue instead of failing.
# Requests that the ending daemon has read are answered by it.
ask() { for _ in $(seq 40); do as alice curl -s --max-time 60 -o /dev/null --unix-socket $socket http://localhost/healthz || echo "refused with $?"; done; }
ask >/systemtest/meanwhile 2>&1 &
clients=$!
ok "it restarts" systemctl restart providerd
wait $clients
is "no client that came meanwhile was refused" "" "$(cat /systemtest/meanwhile)"
is "after a restart it is the same socket" "$before" "$(identity)"
first=$(pid)
kill -KILL "$first"
ok "after a crash clients are answered too" answers
is "by the same socket" "$before" "$(identity)"

ok "the socket unit can be disabled again" systemctl disable --quiet --now providerd.socket
systemctl stop providerd
systemctl enable --quiet --now providerd
ok "the service answers on its own socket" until_true 60 answers
is "with the same mode" "srw-rw-rw- providerd" "$(mode)"
