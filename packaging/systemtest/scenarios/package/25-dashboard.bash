# The programs beside providerctl: an ordinary user opens the dashboard, another user does
# not get in, and a folder that others can write is not trusted.
. /systemtest/assert.bash

libexec=/usr/libexec/providerd
is "the programs and their folder are only root's to write" "-rwxr-xr-x root root drwxr-xr-x root root" \
	"$(stat -c '%A %U %G' $libexec $libexec/* | sort -u | tr '\n' ' ' | sed 's/ $//')"
for name in dashboard mcp top; do
	has "help lists $name" "  $name " "$(as alice providerctl help)"
	has "and $name has a help of its own" "providerctl $name" "$(as alice providerctl help "$name")"
	has "and a manual page" "man1/providerctl-$name.1.gz" "$(dpkg --listfiles providerd)"
done
fails "top needs a terminal" 2 as alice providerctl top

as alice providerctl dashboard --no-open >/systemtest/address 2>/systemtest/told &
ok "a plain user starts the dashboard" until_true 30 grep -q / /systemtest/address
address=$(cat /systemtest/address)
ok "its address is alone on a line" grep -qxE 'http://127\.0\.0\.1:[0-9]+/[^/]+/' /systemtest/address
is "and nothing else is there" "1 0" "$(wc -l </systemtest/address) $(wc -l </systemtest/told)"
has "the page shows the providers" ollama "$(as alice curl -sf "$address")"
has "the forwarded API too" '"providers"' "$(as alice curl -sf "${address}api/providers/status")"
for path in '' api/providers/status; do
	is "another user is refused /$path" 403 "$(as bob curl -s -o /dev/null -w '%{http_code}' "$address$path")"
	hasnt "and learns nothing" ollama "$(as bob curl -s "$address$path")"
done
is "at another path there is nothing" 404 "$(as alice curl -s -o /dev/null -w '%{http_code}' "${address%?}0/")"
change() { as alice curl -s -o /dev/null -w '%{http_code}' -X POST "$@" "${address}api/providers/refresh?provider_id=ollama"; }
is "a change without the header is refused" 403 "$(change)"
is "and with it is made" 202 "$(change -H 'X-Providerd: 1')"
dashboard=$(pidof providerctl-dashboard)
ok "it ends when it is told to" kill "$dashboard"
ok "and nobody listens there any more" until_true 30 bash -c "! curl -s -o /dev/null $address"

chmod o+w $libexec
fails "where others can write, nothing is run" 4 as alice providerctl dashboard --no-open
repair=$(as alice providerctl top 2>&1 | sed -n 's/.*hint: sudo //p') || true
is "and the hint is what repairs it" "chmod o-w $libexec" "$repair"
ok "which it does" $repair
fails "so that top is run again" 2 as alice providerctl top
