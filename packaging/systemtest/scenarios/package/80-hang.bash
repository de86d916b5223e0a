# A daemon that hangs still has a living process. The watchdog notices that it no longer
# does anything, and replaces it.
. /systemtest/assert.bash

limit=$(systemctl show --property=WatchdogUSec --value providerd)
has "the unit has a watchdog: $limit" s "$limit"
before=$(pid) generation=$(providerctl info -o json | field generation) began=$(date +%s.%N) since=$(mark)
kill -STOP "$before"
another() { [ "$(pid)" != "$before" ] && [ "$(pid)" != 0 ] && as alice timeout 2 providerctl status; }
ok "a stopped daemon is replaced" until_true 60 another
say "after $(seconds_since "$began") s"
has "by the watchdog, as the journal says" "atchdog" "$(journal "$since")"
hasnt "the old one is gone" providerd "$(cat "/proc/$before/comm" 2>/dev/null || true)"
verdict "$([ "$(providerctl info -o json | field generation)" -ge "$generation" ] && echo 0 || echo 1)" "the new one knows what the old one knew"
