# What an attacker could do who has taken over the daemon. A plug-in runs in the sandbox of
# the service, so this one tries everything.
. /systemtest/assert.bash

status() { sed -n "s/^$1:\s*//p" "/proc/$(pid)/status"; }
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
	is "no capability is in $set" 0000000000000000 "$(status "$set")"
done
is "no new privileges" 1 "$(status NoNewPrivs)"
is "system calls are filtered" 2 "$(status Seccomp)"
is "it has no other group" "$(getent group providerd | cut -d: -f3)" "$(status Groups | tr -d ' ')"
has "no core file may be written" "0                    0" "$(grep 'Max core' "/proc/$(pid)/limits")"
say "systemd-analyze security: $(systemd-analyze security providerd --no-pager 2>/dev/null | tail -1 | sed 's/^[^O]*//')"

# Doors that only the sandbox closes: they are open to every user of the machine.
mkdir -p /srv/open /home/alice/open
chmod 1777 /srv/open /home/alice/open
chmod 755 /home/alice
echo private >/home/alice/letter
chmod 644 /home/alice/letter
cat >/usr/local/bin/trespass <<'PLUGIN'
#!/bin/bash
# Prints that it ran, and writes what it could do to the state folder.
can() {
	local what=$1
	shift
	if (exec 2>/dev/null && "$@") >/dev/null 2>&1; then echo "$what"; fi
}
touched() { for dir in "$@"; do can "write $dir" touch "$dir/trespass"; done; }
{
	touched /etc /etc/providerd /usr /usr/bin /usr/local/bin /opt /srv /srv/open /home /home/alice /home/alice/open \
		/root /boot /var /var/lib /var/log /var/cache /var/tmp /tmp /run /run/lock /run/user /run/systemd /dev /dev/shm \
		/dev/mqueue /proc/sys/kernel /sys/fs/cgroup / /var/lib/providerd /run/providerd
	can "read a home" cat /home/alice/letter
	can "read shadow" cat /etc/shadow
	can "see others' processes" test -e /proc/1
	can "make a file setuid" chmod u+s /var/lib/providerd/trespass
	can "make a user namespace" unshare --user true
	can "mount" mount -t tmpfs none /run/providerd
	can "become root" setpriv --reuid=0 true
	can "make a device" mknod /var/lib/providerd/null c 1 3
	can "change the host's name" hostname trespass
	can "raise its priority" bash -c '[ "$(nice -n -5 nice)" -lt 0 ]'
} >/var/lib/providerd/trying
mv /var/lib/providerd/trying /var/lib/providerd/tried
echo "it tried"
PLUGIN
chmod 755 /usr/local/bin/trespass

ok "(the doors are open to a user without a sandbox)" as alice touch /srv/open/a /var/tmp/a /dev/shm/a
cp /etc/providerd/providerd.toml /systemtest/providerd.toml
cat >>/etc/providerd/providerd.toml <<'CONFIG'
[[provider]]
id = "trespass"
kind = "exec"
command = ["/usr/local/bin/trespass"]
timeout = "60s"
interval = "1h"
CONFIG
ok "(nor do they hide who else runs)" as alice test -e /proc/1
ok "a plug-in that trespasses is configured" providerctl reload
ok "and runs" providerctl wait trespass --for RUNNING --timeout 60s

tried=$(sort -u /var/lib/providerd/tried)
allowed=$(printf "%s\n" "write /dev/mqueue" "write /run/providerd" "write /tmp" "write /var/lib/providerd" "write /var/tmp")
is "it could write to its state, its runtime folder and what it has of its own (/tmp, message queues), and nothing else" "$allowed" "$tried"
outside=$(find / -name trespass -type f ! -path '/proc/*' ! -path /usr/local/bin/trespass ! -path '/tmp/systemd-private-*' \
	! -path '/var/tmp/systemd-private-*' 2>/dev/null | sort | xargs)
is "seen from outside, nothing came to be elsewhere" "/run/providerd/trespass /var/lib/providerd/trespass" "$outside"

rm -rf /usr/local/bin/trespass /var/lib/providerd/{trespass,tried} /run/providerd/trespass /srv/open /home/alice/{open,letter} /dev/shm/a /var/tmp/a
cp /systemtest/providerd.toml /etc/providerd/providerd.toml
ok "the configuration is restored" providerctl reload
