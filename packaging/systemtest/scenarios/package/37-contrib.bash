# The units of contrib, installed by the commands of its page: a service starts when its
# provider is there, and tries again after it had to give up.
. /systemtest/assert.bash

contrib=/usr/share/providerd/contrib
is "the scripts can be run, and only root can write them" "-rwxr-xr-x root root" "$(stat -c '%A %U %G' $contrib/claude-code-hook $contrib/providerd-line | sort -u)"
is "the documents link to them" "$(realpath $contrib/README.md)" "$(realpath /usr/share/doc/providerd/contrib/README.md)"
is "without jq, a line is one line all the same" "no jq" "$(as alice $contrib/providerd-line tmux)"

# block HEADING prints the commands of a section of the page.
block() { sed -n "/^## $1\$/,/^## /{/\`\`\`sh/,/\`\`\`\$/p}" $contrib/README.md | sed '/```/d'; }
listens() { systemd-run --quiet --unit=contrib-server systemd-socket-activate --listen=127.0.0.1:4998 --accept /bin/true; }
is_in() { [ "$(property ActiveState "$1")/$(property SubState "$1")" = "$2" ]; }

cp /etc/providerd/providerd.toml /systemtest/providerd.toml
cat >>/etc/providerd/providerd.toml <<'CONFIG'
[[provider]]
id = "lm-studio"
kind = "tcp"
base_url = "tcp://127.0.0.1:4998"
CONFIG
ok "a server that does not run is taken into the configuration" providerctl reload
printf '[Service]\nExecStart=/bin/sleep 600\n' >/etc/systemd/system/agent.service

ok "the drop-in is installed" bash -euc "$(block 'systemd: start a service with its provider' | sed 's/WAIT_FOR=ollama/WAIT_FOR=lm-studio/')"
systemctl start --no-block agent
ok "the service waits" until_true 30 is_in agent.service activating/start-pre
listens
ok "and starts when its provider is there" until_true 30 is_in agent.service active/running
systemctl stop agent contrib-server
ok "the provider has gone" providerctl wait lm-studio --for STOPPED --timeout 30s
sed -i 's/5m/100ms/; s/RestartSec=10s/RestartSec=100ms/' /etc/systemd/system/agent.service.d/wait-for-provider.conf
systemctl daemon-reload
fails "after its time, the start fails" 1 systemctl start agent
listens
ok "and systemd tries again" until_true 30 is_in agent.service active/running
systemctl stop agent

ok "the unit that waits is installed, and finds its provider" bash -euc "$(block 'systemd: a unit that waits' | sed 's/@ollama/@lm-studio/')"
systemctl stop contrib-server
ok "the provider has gone again" providerctl wait lm-studio --for STOPPED --timeout 30s
systemctl start --no-block providerd-wait@lm-studio
ok "the unit waits" until_true 30 is_in providerd-wait@lm-studio.service activating/start
listens
ok "and has succeeded" until_true 30 is_in providerd-wait@lm-studio.service inactive/dead
is "without a failure" success "$(property Result providerd-wait@lm-studio.service)"
fails "of a provider that nobody knows it fails at once" 1 systemctl start providerd-wait@no-such

systemctl stop contrib-server
rm -r /etc/systemd/system/agent.service /etc/systemd/system/agent.service.d "/etc/systemd/system/providerd-wait@.service"
systemctl daemon-reload
systemctl reset-failed
cp /systemtest/providerd.toml /etc/providerd/providerd.toml
ok "the configuration is put back" providerctl reload
