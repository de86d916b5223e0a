# Uninstalling leaves what belongs to the administrator, and nothing that runs.
. /systemtest/assert.bash

cp /etc/providerd/providerd.toml /systemtest/providerd.toml
fails "a plain user may not" 1 as alice providerd service uninstall
ok "root uninstalls the service" providerd service uninstall
is "nothing runs" "" "$(pidof providerd || true)"
is "the unit is gone" not-found "$(systemctl show --property=LoadState --value providerd)"
is "and no link to it is left" "" "$(find /etc/systemd/system -name '*providerd*')"
ok "the configuration stays" cmp /systemtest/providerd.toml /etc/providerd/providerd.toml
ok "so does the state" test -s /var/lib/providerd/providerd.db
ok "once more is no error" providerd service uninstall
fails "a client is told that nothing runs" 3 as alice providerctl status
ok "and it can be installed again" providerd service install
ok "with what it knew" as alice providerctl wait tcp --for RUNNING --timeout 60s
ok "(and taken away again)" providerd service uninstall
