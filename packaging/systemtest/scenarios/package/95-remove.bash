# Removing keeps what belongs to the administrator. Purging leaves the machine as it was
# before the package, which the first scenario recorded.
. /systemtest/assert.bash

ok "the package can be removed" dpkg --remove providerd
is "nothing runs" "" "$(pidof providerd || true)"
ok "the configuration stays" test -s /etc/providerd/providerd.toml
ok "and the state" test -s /var/lib/providerd/providerd.db
is "the program is gone" "" "$(command -v providerd || true)"
is "so is the unit" not-found "$(systemctl show --property=LoadState --value providerd)"

ok "and be installed again" dpkg --install "/systemtest/$new_version/providerd.deb"
ok "it knows what it knew" bash -c '. /systemtest/assert.bash; until_true 60 providerctl status mine'
ok "the package can be purged" dpkg --purge providerd
is "nothing runs then" "" "$(pidof providerd || true)"
# The files of dpkg, the journal and the user tools do not count.
after=$(find / -xdev -print | sort | comm -13 /systemtest/files-before - |
	grep -v -E '^/(var/lib/dpkg/|var/log/|var/cache/|systemtest/|etc/(passwd|group|shadow|gshadow|subuid|subgid)-$)') || true
is "no file is left" "" "$after"
is "nothing in /run" "" "$(find /run -name '*providerd*' | grep -v '/run/log/')"
is "no user is left" "$(cat /systemtest/passwd)" "$(cat /etc/passwd)"
is "no group is left" "$(cat /systemtest/group)" "$(cat /etc/group)"
is "dpkg has forgotten it" "" "$(dpkg-query -W providerd 2>/dev/null || true)"
is "systemd is content" running "$(systemctl is-system-running)"
