# A key that systemd passes on is used, and appears nowhere else: not in another file, not
# in an environment, not in a reply, not in the journal.
. /systemtest/assert.bash

key=test-key-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
(umask 077 && mkdir -p /etc/providerd/credentials && printf '%s\n' "$key" >/etc/providerd/credentials/cloud)
systemd-run --quiet --unit=standin /systemtest/standin -key /etc/providerd/credentials/cloud -authority /etc/ssl/certs/systemtest.pem
ok "a cloud API is running, and wants the key" until_true 60 curl -so /dev/null --cacert /etc/ssl/certs/systemtest.pem https://127.0.0.1:7005/v1/models
cp /etc/providerd/providerd.toml /systemtest/providerd.toml
cat >>/etc/providerd/providerd.toml <<'CONFIG'
[[provider]]
id = "cloud"
kind = "openai"
base_url = "https://127.0.0.1:7005/v1"
api_key_file = "key_cloud"
CONFIG
ok "the service reads the key at its start" systemctl restart providerd
ok "and the API accepts it" as alice providerctl wait cloud --for RUNNING --timeout 60s
is "the key's file stays root's" "-rw------- root root" "$(stat -c '%A %U %G' /etc/providerd/credentials/cloud)"
fails "no other user can read the service's copy" 1 as alice cat /run/credentials/providerd.service/key_cloud

service=$(pid)
lacks() {
	local what=$1
	shift
	if "$@" 2>/dev/null | grep -aqF "$key"; then verdict 1 "the key is not in $what" "it is: $*"; else verdict 0 "the key is not in $what"; fi
}
lacks "the environment of the service" cat "/proc/$service/environ"
lacks "its command line" cat "/proc/$service/cmdline"
lacks "the unit as systemd tells it" systemctl show providerd
lacks "the journal" journalctl --no-pager --output=export
lacks "the configuration as the daemon shows it" providerd config show
for path in providers/status providers/cloud providers/cloud/models providers/cloud/diagnostics providers/cloud/history \
	events daemon daemon/log openapi.json; do
	ok "(/api/$path answers)" curl -sf --max-time 60 -o /dev/null --unix-socket /run/providerd/providerd.sock "http://localhost/api/$path"
	lacks "/api/$path" curl -s --max-time 60 --unix-socket /run/providerd/providerd.sock "http://localhost/api/$path"
done
lacks "/metrics" curl -s --unix-socket /run/providerd/providerd.sock http://localhost/metrics

providerctl log-level trace >/dev/null
providerctl refresh cloud --wait >/dev/null
providerctl diagnose cloud >/dev/null || true
lacks "the log, however much is logged" journalctl --no-pager --output=export -u providerd
providerctl log-level info >/dev/null

# A wrong key, and a crash: what an error says, and what is left behind.
printf 'test-key-that-is-wrong\n' >/etc/providerd/credentials/cloud
systemctl restart providerd
ok "a wrong key is reported as an error" as alice providerctl wait cloud --for ERROR --timeout 60s
hasnt "without showing it" test-key-that-is-wrong "$(as alice providerctl status -o json; journalctl --no-pager -u providerd)"
printf '%s\n' "$key" >/etc/providerd/credentials/cloud
systemctl restart providerd
service=$(pid)
ok "the right key works again" as alice providerctl wait cloud --for RUNNING --timeout 60s
kill -ABRT "$service"
until_true 60 eval '[ "$(pid)" != "$service" ] && as alice providerctl status'
ok "after an abort it comes back with its key" as alice providerctl wait cloud --for RUNNING --timeout 60s
found=$(grep -rlaF "$key" /etc /var /run /tmp /dev/shm /root /home /usr /opt /srv 2>/dev/null |
	grep -v -e '^/etc/providerd/credentials/cloud$' -e '^/run/credentials/providerd.service/key_cloud$') || true
is "in no other file of the machine, and in no core file" "" "$found"
is "the credential is only in memory" "" "$(findmnt -n -o FSTYPE /run/credentials/providerd.service | grep -vx -e ramfs -e tmpfs || true)"

systemctl stop standin
rm -rf /etc/providerd/credentials/cloud /etc/ssl/certs/systemtest.pem
cp /systemtest/providerd.toml /etc/providerd/providerd.toml
ok "it also starts without keys" systemctl restart providerd
