# The sandboxed service hears from the kernel that a port was closed: the next probe of
# this server is an hour away.
. /systemtest/assert.bash

listens() {
	systemd-run --quiet --unit=at-once systemd-socket-activate --listen=127.0.0.1:4999 --accept /bin/true
}
is_now() { [ "$(providerctl status once --state "$1" -o name)" = once ]; }

cp /etc/providerd/providerd.toml /systemtest/providerd.toml
cat >>/etc/providerd/providerd.toml <<'CONFIG'
[[provider]]
id = "once"
kind = "tcp"
base_url = "tcp://127.0.0.1:4999"
interval = "1h"
CONFIG
listens
ok "a server is taken into the configuration" providerctl reload
ok "and runs" providerctl wait once --for RUNNING --timeout 60s
systemctl stop at-once
ok "its end is seen although its next probe is an hour away" until_true 30 is_now STOPPED
listens
ok "and so is its return" until_true 30 is_now RUNNING
hasnt "the kernel tells the service which ports are closed" "not noticed at once" "$(journalctl --unit providerd --output cat)"

systemctl stop at-once
cp /systemtest/providerd.toml /etc/providerd/providerd.toml
ok "the configuration is put back" providerctl reload
