# A killed daemon comes back by itself, and nothing that a client has seen is lost.
. /systemtest/assert.bash

seq() { providerctl info -o json | field seq; }
generation() { providerctl info -o json | field generation; }
row() { providerctl status ollama -o json; }

providerctl refresh ollama --wait >/dev/null || true
before=$(pid) seq_before=$(seq) generation_before=$(generation) events_before=$(providerctl events -o json)
since=$(row | field since)
began=$(date +%s.%N)
kill -KILL "$before"
back() { [ "$(pid)" != "$before" ] && [ "$(pid)" != 0 ] && as alice providerctl status; }
ok "after kill -9 it answers again" until_true 60 back
say "after $(seconds_since "$began") s, of which systemd waits $(systemctl show --property=RestartUSec --value providerd)"
is "systemd started it" 1 "$(property NRestarts)"
is "no event is lost" "$events_before" "$(providerctl events -o json | head -n "$(wc -l <<<"$events_before")")"
is "its rows know since when" "$since" "$(row | field since)"
verdict "$([ "$(seq)" -ge "$seq_before" ] && echo 0 || echo 1)" "the sequence continues: $seq_before, then $(seq)"
verdict "$([ "$(generation)" -ge "$generation_before" ] && echo 0 || echo 1)" "so do the generations: $generation_before, then $(generation)"

# Again and again: systemd never gives up, however many crashes there are.
for _ in 1 2 3 4 5 6; do
	before=$(pid)
	kill -KILL "$before"
	until_true 60 back || break
done
is "six more crashes in a row, and it runs" active "$(systemctl is-active providerd)"
