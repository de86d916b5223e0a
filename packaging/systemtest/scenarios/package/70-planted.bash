# Someone has planted something in place of the daemon's files. The daemon follows no link
# and takes over no socket; the target of a link stays unchanged.
. /systemtest/assert.bash

answers() { as alice providerctl status; }
systemctl stop providerd
echo precious >/srv/precious
chmod 666 /srv/precious

# planted WHAT PATH: with a link at PATH the service does not start.
planted() {
	local began
	began=$(mark)
	rm -rf "$2"
	ln -s "${3:-/srv/precious}" "$2"
	systemctl start providerd 2>/dev/null || true
	ok "a link $1: the journal names it" until_true 60 eval "journal '$began' | grep 'providerd:' | grep -q '$(basename "$2")'"
	is "a link $1: not followed" precious "$(cat /srv/precious)"
	fails "a link $1: nothing is served" 3 as alice providerctl status
	say "$(journal "$began" | grep -m1 "providerd:.*$(basename "$2")" | cut -c1-200)"
	systemctl stop providerd
	rm -f "$2"
}
cp -a /var/lib/providerd /systemtest/state
planted "instead of the database" /var/lib/providerd/providerd.db
rm -rf /var/lib/providerd
cp -a /systemtest/state /var/lib/providerd
ok "with the database back it serves" bash -c 'systemctl start providerd && . /systemtest/assert.bash && until_true 60 as alice providerctl status'

# Only root can plant something in the service's own folder, or a daemon that has been
# taken over, for the next one.
systemctl stop providerd
rm -f /run/providerd/*
ln -s /srv/precious /run/providerd/providerd.sock
began=$(mark)
systemctl start providerd 2>/dev/null || true
sees() { journal "$began" | grep -q 'providerd:.*providerd.sock'; }
ok "a link instead of the socket: the journal names it" until_true 60 sees
say "$(journal "$began" | grep -m1 'providerd:.*providerd.sock' | cut -c1-200)"
is "a link instead of the socket: what it leads to is not touched" precious "$(cat /srv/precious)"
fails "a link instead of the socket: nothing is served" 3 as alice providerctl status
systemctl stop providerd
rm -f /run/providerd/providerd.sock
echo file >/run/providerd/providerd.sock
systemctl start providerd 2>/dev/null || true
fails "a file instead of the socket: nothing is served" 3 as alice providerctl status
is "a file instead of the socket: it stays" file "$(cat /run/providerd/providerd.sock)"
rm -f /run/providerd/providerd.sock
ok "once that is removed, it comes back by itself" until_true 60 answers
rm -rf /srv/precious /systemtest/state
