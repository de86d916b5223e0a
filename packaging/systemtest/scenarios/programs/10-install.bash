# Without a package, the two programs and one command make the same service.
. /systemtest/assert.bash

install -m 755 /systemtest/providerd /systemtest/providerctl /usr/local/bin/
fails "a plain user may not" 1 as alice providerd service install
began=$(date +%s.%N)
ok "root installs the service" providerd service install
ok "a plain user can read the status" until_true 60 as alice providerctl status
say "installed, and answering, after $(seconds_since "$began") s"
ok "providerd service status reports that it runs" as alice providerd service status
is "the service is enabled" enabled "$(systemctl is-enabled providerd)"
is "the service is active" active "$(systemctl is-active providerd)"
is "it runs as a user of its own" "providerd:providerd" "$(property User):$(property Group)"
is "from where the program is" /usr/local/bin/providerd "$(readlink "/proc/$(pid)/exe")"
is "without a capability" 0000000000000000 "$(sed -n 's/^CapEff:\s*//p' "/proc/$(pid)/status")"
is "the socket is everybody's" "srw-rw-rw- providerd providerd" "$(stat -c '%A %U %G' /run/providerd/providerd.sock)"
is "the state is the service's alone" "drwx------ providerd providerd" "$(stat -c '%A %U %G' /var/lib/providerd)"
fails "a plain user may not change anything" 4 as alice providerctl log-level debug
usermod -aG providerd bob
ok "an administrator may" as bob providerctl log-level info
before=$(pid)
ok "installing again upgrades it" providerd service install
ok "and runs" until_true 60 as alice providerctl status
verdict "$([ "$(pid)" != "$before" ] && echo 0 || echo 1)" "as a new process"
ok "it can be stopped" providerd service stop
fails "and says so" 1 as alice providerd service status
ok "and started" providerd service start
