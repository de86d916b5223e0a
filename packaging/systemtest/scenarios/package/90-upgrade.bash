# An upgrade loses nothing: the state continues, the file that an administrator has
# changed stays, and the new program runs.
. /systemtest/assert.bash

printf '\n# mine\n[[provider]]\nid = "mine"\nkind = "tcp"\nbase_url = "tcp://127.0.0.1:9"\n' >>/etc/providerd/providerd.toml
providerctl reload >/dev/null
providerctl wait mine --for STOPPED --timeout 60s >/dev/null
providerctl pause lmstudio >/dev/null
configuration=$(sha256sum </etc/providerd/providerd.toml)
events=$(providerctl events -o json)
generation=$(providerctl info -o json | field generation)
since=$(providerctl status mine -o json | field since)

began=$(date +%s.%N)
ok "the higher version installs over the old one" dpkg --force-confdef --install "/systemtest/$new_version/providerd.deb"
until_true 60 as alice providerctl status
say "upgraded, and answering, after $(seconds_since "$began") s"
has "the new version runs" "$new_version" "$(providerctl info)"
is "and is enabled" enabled "$(systemctl is-enabled providerd)"
is "the configuration is as it was" "$configuration" "$(sha256sum </etc/providerd/providerd.toml)"
is "nothing lies beside it" "" "$(find /etc/providerd -name '*.dpkg-*')"
is "every event is still there" "$events" "$(providerctl events -o json | head -n "$(wc -l <<<"$events")")"
is "a row knows since when" "$since" "$(providerctl status mine -o json | field since)"
is "what was paused still is" true "$(providerctl status lmstudio -o json | field paused)"
verdict "$([ "$(providerctl info -o json | field generation)" -ge "$generation" ] && echo 0 || echo 1)" "the generations continue"

systemctl disable --quiet --now providerd
ok "a disabled daemon can be upgraded too" dpkg --force-confdef --install "/systemtest/$new_version/providerd.deb"
is "and stays disabled" disabled "$(systemctl is-enabled providerd || true)"
is "and stopped" inactive "$(systemctl is-active providerd || true)"
systemctl enable --quiet --now providerd
