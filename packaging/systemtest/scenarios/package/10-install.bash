# Installing the package is enough: the service runs, and every user of the machine can
# ask it. The state before is recorded for the last scenario.
. /systemtest/assert.bash

find / -xdev -print | sort >/systemtest/files-before
cp /etc/passwd /etc/group /etc/shadow /systemtest/

began=$(date +%s.%N)
ok "the package installs" dpkg --install "/systemtest/$old_version/providerd.deb"
say "installed, and its service started, in $(seconds_since "$began") s"
ok "systemd finds no fault in the units" systemd-analyze verify --man=no providerd.service providerd.socket
is "the service is enabled" enabled "$(systemctl is-enabled providerd)"
is "the service is active" active "$(systemctl is-active providerd)"
is "the socket unit waits for who wants it" disabled "$(systemctl is-enabled providerd.socket)"
has "the unit's status is the daemon's" "provider" "$(property StatusText)"
is "it runs as a user of its own" "providerd:providerd" "$(property User):$(property Group)"
is "who cannot log in" /usr/sbin/nologin "$(getent passwd providerd | cut -d: -f7)"

ok "a plain user can read the status" as alice providerctl status
has "with the providers that any machine may have" ollama "$(as alice providerctl status)"
ok "and with curl too" as alice curl -sf --unix-socket /run/providerd/providerd.sock http://localhost/healthz
has "the daemon reports its version" "$old_version" "$(as alice providerctl info)"

mode() { stat -c '%A %U %G' "$1"; }
is "the socket is everybody's" "srw-rw-rw- providerd providerd" "$(mode /run/providerd/providerd.sock)"
is "its folder only the service's to write" "drwxr-xr-x providerd providerd" "$(mode /run/providerd)"
is "the state is the service's alone" "drwx------ providerd providerd" "$(mode /var/lib/providerd)"
is "so is the database" "-rw------- providerd providerd" "$(mode /var/lib/providerd/providerd.db)"
is "the configuration is root's" "-rw-r--r-- root root" "$(mode /etc/providerd/providerd.toml)"
fails "a plain user cannot read the state folder" 2 as alice ls /var/lib/providerd
