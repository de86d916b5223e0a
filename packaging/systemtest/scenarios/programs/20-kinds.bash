# Every way of probing works in the sandbox: over HTTP, TCP, TLS, DNS and gRPC, by a
# plug-in, by systemd's message bus, and a cloud API with its key.
. /systemtest/assert.bash

(umask 077 && mkdir -p /etc/providerd/credentials && echo "test-key-of-the-kinds" >/etc/providerd/credentials/cloud)
systemd-run --quiet --unit=standin /systemtest/standin -key /etc/providerd/credentials/cloud -authority /etc/ssl/certs/systemtest.pem
ok "(the stand-ins are running)" until_true 60 curl -so /dev/null --cacert /etc/ssl/certs/systemtest.pem https://127.0.0.1:7005/v1/models
cat >/usr/local/bin/check_fine <<'PLUGIN'
#!/bin/sh
echo "FINE - as $(id -un)"
PLUGIN
chmod 755 /usr/local/bin/check_fine
cat >/etc/providerd/providerd.toml <<'CONFIG'
[[provider]]
id = "ollama"
kind = "ollama"

[[provider]]
id = "http"
kind = "http"
base_url = "http://127.0.0.1:11434/api/version"
expect_json = { "$.version" = "0.9.0" }

[[provider]]
id = "tcp"
kind = "tcp"
base_url = "tcp://127.0.0.1:7001"

[[provider]]
id = "unix"
kind = "tcp"
base_url = "unix:///run/dbus/system_bus_socket"

[[provider]]
id = "tls"
kind = "tls"
base_url = "tls://127.0.0.1:7002"

[[provider]]
id = "dns"
kind = "dns"
base_url = "dns://127.0.0.1:7003/model.test?type=A"
expect_answer = '^192\.0\.2\.7$'

[[provider]]
id = "grpc"
kind = "grpc"
base_url = "grpc://127.0.0.1:7004"

[[provider]]
id = "cloud"
kind = "openai"
base_url = "https://127.0.0.1:7005/v1"
api_key_file = "key_cloud"

[[provider]]
id = "plugin"
kind = "exec"
command = ["/usr/local/bin/check_fine"]

[[provider]]
id = "unit"
kind = "systemd"
unit = "dbus.service"
CONFIG
ok "the service starts with all of them" systemctl restart providerd
for id in ollama http tcp unix tls dns grpc cloud plugin unit; do
	ok "$id is RUNNING" as alice providerctl wait "$id" --for RUNNING --timeout 60s
	as alice providerctl is-running -q "$id" || as alice providerctl diagnose "$id" || true
done
has "the plug-in ran as the service" "as providerd" "$(as alice providerctl status plugin -o json)"

systemctl stop dbus.socket dbus.service 2>/dev/null || true
systemctl start dbus.service
ok "the bus may restart" as alice providerctl wait unit --for RUNNING --timeout 60s
systemctl stop standin
ok "a stopped server is noticed" as alice providerctl wait tcp --for STOPPED --timeout 60s
systemd-run --quiet --unit=standin /systemtest/standin -key /etc/providerd/credentials/cloud -authority /etc/ssl/certs/systemtest.pem
ok "and so is its return" as alice providerctl wait tcp --for RUNNING --timeout 60s
