# Nobody can catch the socket with a mode that it should not have: neither while the
# service makes it, nor when systemd does (socket activation, which is for who wants it).
. /systemtest/assert.bash

socket=/run/providerd/providerd.sock
mode() { stat -c '%A %U' $socket; }
identity() { stat -c '%i %A' $socket; }
answers() { as alice curl -sf --max-time 60 --unix-socket $socket http://localhost/healthz; }

# The kernel tells every change of a name in the folder, from before the socket is there.
systemctl stop providerd
/systemtest/standin -watch /run/providerd >/systemtest/watched 2>&1 &
watcher=$!
until_true 60 grep -q watching /systemtest/watched
systemctl start providerd
ok "the service answers" until_true 60 answers
kill $watcher
seen=$(grep 'providerd.sock' /systemtest/watched | sort | uniq -c | sed 's/^ *//')
say "seen of the socket: ${seen//$'\n'/, }"
has "its name appears, with the mode that it keeps" "providerd.sock Srw-rw-rw-" "$seen"
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
ok "a plain user may still not change anything" bash -c 'runuser -u alice -- providerctl log-level debug; [ $? = 4 ]'
is "it is the same socket" "$before" "$(identity)"

# While it restarts, clients wait in the socket's queue instead of failing.
# One whose request was read by the daemon that ends is answered by it.
ask() { for _ in $(seq 40); do as alice curl -s --max-time 60 -o /dev/null --unix-socket $socket http://localhost/healthz || echo "refused with $?"; done; }
ask >/systemtest/meanwhile 2>&1 &
clients=$!
ok "it restarts" systemctl restart providerd
wait $clients
is "no client that came meanwhile was refused" "" "$(cat /systemtest/meanwhile)"
is "after a restart it is the same socket" "$before" "$(identity)"
first=$(pid)
kill -KILL "$first"
ok "after a crash a client is answered as well" answers
is "by the same socket" "$before" "$(identity)"

ok "without the socket unit it is as before" systemctl disable --quiet --now providerd.socket
systemctl stop providerd
systemctl enable --quiet --now providerd
ok "the service answers on a socket of its own" until_true 60 answers
is "with the same mode" "srw-rw-rw- providerd" "$(mode)"
