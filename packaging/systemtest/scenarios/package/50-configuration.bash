# A mistake in the file does no harm while the daemon runs, and is reported with its line.
. /systemtest/assert.bash

file=/etc/providerd/providerd.toml
cp $file /systemtest/providerd.toml
ok "systemctl reload works while nothing is wrong" systemctl reload providerd
line=$(($(wc -l <$file) + 2))
printf '[[provider]]\nid = "Not An ID"\nkind = "ollama"\n' >>$file
before=$(pid) rows=$(providerctl status -o json | grep -o '"id":"[^"]*"') began=$(mark)

fails "the mistake is found before it is used" 1 providerd config check $file
fails "providerctl reload refuses it" 1 providerctl reload
has "and shows the line" "$file:$line" "$(providerctl reload 2>&1 || true)"
systemctl reload providerd || true
ok "after systemctl reload the journal has the line too" until_true 60 eval "journal '$began' | grep -q '$file:$line'"
is "it is still the same process" "$before" "$(pid)"
is "which is active" active "$(systemctl is-active providerd)"
is "with the rows that it had" "$rows" "$(providerctl status -o json | grep -o '"id":"[^"]*"')"

began=$(mark)
systemctl restart providerd 2>/dev/null || true
ok "at a start the journal says what is wrong" until_true 60 eval "journal '$began' | grep -q '$file:$line'"
say "$(journal "$began" | grep -m1 "$file:$line")"
fails "it does not run with a guess" 3 as alice providerctl status
has "and a client is told what to type" "providerd service start" "$(as alice providerctl status 2>&1 || true)"

cp /systemtest/providerd.toml $file
ok "once fixed, it comes back by itself" until_true 60 as alice providerctl status
is "active" active "$(systemctl is-active providerd)"
