# The server of a provider is started, stopped and restarted by those whom systemd and polkit
# let: root, somebody who types an administrator's password, and a user for a unit of their own.
. /systemtest/assert.bash

units=/etc/systemd/system mine=/home/alice/.config/systemd/user
unit() { printf '[Service]\n' && printf '%s\n' "$@"; }
serve() { printf 'ExecStart=/systemtest/standin -key /etc/standin.key -authority %s' "$1"; }
echo "test-key" >/etc/standin.key
unit "$(serve /run/standin.pem)" >$units/ollama@.service
unit "ExecStart=/no/such/program" >$units/bad.service
unit "ExecStart=/bin/sh -c 'echo the model is missing; exit 3'" "Restart=on-failure" "RestartSec=50ms" "StartLimitBurst=20" >$units/crashing.service
unit "ExecStart=/bin/sleep infinity" >$units/deaf.service
unit "Type=notify" "ExecStart=/bin/sleep infinity" >$units/slow.service
ln -s /dev/null $units/masked.service
printf '[Socket]\nListenStream=127.0.0.1:7099\n' >$units/plug.socket
unit "ExecStart=/bin/sleep infinity" >$units/plug.service
install -d -o alice -g alice /home/alice/.config{,/systemd,/systemd/user}
unit "$(serve %t/standin.pem)" >$mine/mine.service
unit "ExecStart=/bin/sh -c 'echo the words of alice; exit 4'" >$mine/ends.service
systemctl daemon-reload

provider() { printf '[[provider]]\nid = "%s"\nkind = "ollama"\nbase_url = "%s"\nunit = "%s"\n' "$@"; }
here=http://127.0.0.1:11434 nowhere=http://127.0.0.1:7098
ok "(the package installs)" dpkg --install "/systemtest/$new_version/providerd.deb"
{
	printf 'autodetect = false\n'
	provider ollama $here ollama@qwen.service
	provider mine $here mine.service && echo 'bus = "user"'
	provider ends $nowhere ends.service && echo 'bus = "user"'
	for name in bad crashing deaf slow masked typo; do provider $name $nowhere $name.service; done
	printf '[[provider]]\nid = "plug"\nkind = "tcp"\nbase_url = "tcp://127.0.0.1:7099"\nunit = "plug.socket"\n'
} >/etc/providerd/providerd.toml
systemctl restart providerd
ok "(the service runs)" until_true 30 as alice providerctl status

# What an ordinary user may not, polkit decides, or systemd alone.
refusal() { as alice providerctl "$@" </dev/null 2>&1 || true; }
may_not='access denied: this user may not start ollama@qwen.service'
fails "an ordinary user is denied" 4 as alice providerctl start ollama
said=$(refusal start ollama)
has "with the reason" "$may_not" "$said"
has "and what to type" "hint: sudo systemctl start ollama@qwen.service; or on a terminal, where polkit can ask for a password: providerctl start ollama" "$said"
activation=/usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service
systemctl stop polkit && mv $activation /root/ && systemctl reload dbus
has "so it is without polkit" "$may_not" "$(refusal start ollama)"
mv /root/"${activation##*/}" $activation && systemctl reload dbus
systemctl mask --runtime --quiet polkit
has "and with a polkit that cannot start" "access denied: polkit cannot be asked whether this user may start ollama@qwen.service: Unit polkit.service is masked" "$(refusal start ollama)"
systemctl unmask --runtime --quiet polkit
is "nothing was started" inactive "$(systemctl is-active ollama@qwen.service)"

# on_terminal COMMAND: as alice, logged in on a terminal, on which our input is typed.
on_terminal() { script -qec "systemd-run --quiet --pty --uid=alice --property=PAMName=login --setenv=TERM=dumb $1" /dev/null; }
usermod -aG sudo bob && echo bob:secret | chpasswd
typed() { mkfifo /run/typed && { on_terminal "$1" </run/typed >/run/seen 2>&1 & } && exec 9>/run/typed; }
typed "providerctl start ollama"
ok "on a terminal, polkit asks for an administrator's password" until_true 30 grep -q Password: /run/seen
echo secret >&9
ok "and with it, an ordinary user starts it" until_true 60 grep -q 'ollama is RUNNING' /run/seen
exec 9>&- && wait
has "the event names the user" "after start by uid $(id -u alice)" "$(providerctl events)"

ok "root restarts it" providerctl restart ollama
ok "and stops it" providerctl stop ollama
has "the event names root" "after stop by uid 0" "$(providerctl events)"
is "no instance is left" inactive "$(systemctl is-active ollama@qwen.service)"

# What does not work says why.
failed() { providerctl "$@" </dev/null 2>&1 || true; }
said=$(failed start bad)
has "a program that is not there fails its unit" "bad.service did not start: it is failed (exit-code, status 203)" "$said"
has "with the journal" "Failed at step EXEC spawning /no/such/program: No such file or directory" "$said"
said=$(failed start crashing)
has "so does one that keeps ending" "crashing.service did not start: it is activating (exit-code, status 3, restarted" "$said"
has "with its own words" "  the model is missing" "$said"
has "a unit that is not there" "there is no unit typo.service" "$(failed start typo)"
has "a masked unit" "masked.service is masked: nobody can start it" "$(failed start masked)"
fails "a server that never listens" 6 providerctl start deaf --timeout 2s
said=$(failed start deaf --timeout 1s)
has "is still stopped" "deaf is still STOPPED (connection_refused) after 1s; deaf.service is active (running)" "$said"
has "with what to look at" "check that it listens at $nowhere, and that unit is right" "$said"
fails "a unit that is never ready" 6 providerctl start slow --timeout 1s
has "is starting" "systemd could not start slow.service within 1s: it is activating (start)" "$(failed start slow --timeout 1s)"
systemctl stop slow deaf crashing
ok "a socket can be started" providerctl start plug
said=$(failed stop plug --timeout 2s)
has "the service that it has started keeps listening" "plug is still RUNNING" "$said"
has "which is said" "hint: the service that plug.socket has started may still run: write its name as unit, or stop it: systemctl stop plug.service" "$said"

# A unit of alice's own systemd, which runs although nobody is logged in.
loginctl enable-linger alice
run_user=/run/user/$(id -u alice)
ok "(alice has a systemd)" until_true 10 test -S "$run_user/systemd/private"
as_alice() { as alice env XDG_RUNTIME_DIR="$run_user" "$@" </dev/null; }
ok "a user starts a unit of their own" as_alice providerctl start mine
ok "and stops it" as_alice providerctl stop mine
said=$(as_alice providerctl start ends 2>&1 || true)
has "one that fails says so" "ends.service did not start: it is failed (exit-code, status 4)" "$said"
has "with its own words" "  the words of alice" "$said"
has "root is told whose it is" "hint: leave sudo out: mine.service is a unit of a user, and not of root" "$(failed start mine)"
has "and so is a user without a session" "this user's systemd cannot be reached: Failed to connect to bus: No medium found" "$(refusal start mine)"
said=$(as_alice providerctl start bad 2>&1 || true)
has "the system's unit stays closed" "access denied" "$said"

# An ordinary user who may start a unit may still not read its journal.
cat >/etc/polkit-1/rules.d/50-systemtest.rules <<'RULE'
polkit.addRule(function (action, subject) {
	if (action.id == "org.freedesktop.systemd1.manage-units" && action.lookup("unit") == "bad.service" && subject.user == "alice") return polkit.Result.YES;
});
RULE
said=$(until_true 5 as alice sh -c 'providerctl start bad 2>&1 | grep "did not start"' && refusal start bad)
has "a rule of polkit lets a user start one unit" "bad.service did not start: it is failed" "$said"
has "whose journal stays closed" "this user may not read the journal of bad.service" "$said"
has "and what to type" "hint: see: sudo journalctl --unit=bad.service" "$said"
