package config_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

const notified = `
autodetect = false
[[provider]]
id = "gpu1"
kind = "ollama"
[[provider]]
id = "lab-1"
kind = "lmstudio"
`

func TestParse_NotifyHasDefaults(t *testing.T) {
	c := parse(t, notified+`
[[notify]]
id = "desk"
kind = "desktop"
`, env(nil, nil))
	want := config.Notify{
		ID: "desk", Kind: "desktop", On: []provider.Topic{"unusable", "usable", "attention", "host"},
		Providers: config.Globs{"*"}, Gather: 5 * time.Second, Most: 20,
	}
	if diff := cmp.Diff([]config.Notify{want}, c.Notify); diff != "" {
		t.Error(diff)
	}
}

// What Show prints is the same configuration again, without the secrets.
func TestConfig_ShowsNotifications(t *testing.T) {
	const text = notified + `
[[notify]]
id = "phone"
kind = "webhook"
url = "https://hooks.example.com/services/T0/leak"
token_file = "/keys/token"
secret_file = "/keys/none"
on = ["limited", "incident"]
providers = ["*", "!lab-*"]
after = "2m"
gather = "0s"
most = 3
quiet = ["22:00-07:00", "Sat,Sun 00:00-24:00"]
quiet_zone = "Europe/Berlin"
title = "{{.Provider}}"
[[notify]]
id = "script"
kind = "exec"
command = ["/bin/tell", "--token", "leak"]
quiet = "12:00-13:00"
[[maintenance]]
providers = ["gpu*"]
at = "Sun 02:00-04:00"
zone = "America/New_York"
`
	const want = `
[[notify]]
id = "phone"
kind = "webhook"
# what can be a secret in url is not shown
url = "https://hooks.example.com/***"
token_file = "/keys/token"
secret_file = "/keys/none"
# secret_file: "/keys/none" cannot be read: file does not exist
on = ["limited", "incident"]
providers = ["*", "!lab-*"]
after = "2m"
gather = "0s"
most = 3
quiet = ["22:00-07:00", "Sat,Sun 00:00-24:00"]
quiet_zone = "Europe/Berlin"
title = "{{.Provider}}"

[[notify]]
id = "script"
kind = "exec"
# what looks like a secret in command is not shown
command = ["/bin/tell", "--token", "***"]
on = ["unusable", "usable", "attention", "host"]
providers = ["*"]
after = "0s"
gather = "5s"
most = 20
quiet = ["12:00-13:00"]

[[maintenance]]
providers = ["gpu*"]
at = ["Sun 02:00-04:00"]
zone = "America/New_York"
`
	e := env(nil, map[string]string{"/keys/token": "leak"})
	c := parse(t, text, e)
	_, shown, _ := strings.Cut(c.Show(), "\n[[notify]]")
	if diff := cmp.Diff(want, "\n[[notify]]"+shown); diff != "" {
		t.Error(diff)
	}
	if len(c.Faults) != 1 || c.Faults[0].ID != "phone" || !c.NotifyHas(c.Faults[0]) {
		t.Errorf("faults: %+v", c.Faults)
	}
	again := parse(t, c.Show(), e)
	if _, twice, _ := strings.Cut(again.Show(), "\n[[notify]]"); twice != strings.Replace(shown, "# what can be a secret in url is not shown\n", "", 1) {
		t.Errorf("read again, it is\n%s", twice)
	}
}

func TestConfig_AppliedNotify(t *testing.T) {
	const phone, desk, upkeep = "[[notify]]\nid = \"phone\"\nkind = \"webhook\"\nurl = \"https://h/a\"\n",
		"[[notify]]\nid = \"desk\"\nkind = \"desktop\"\n", "[[maintenance]]\nproviders = [\"gpu1\"]\nat = \"Sun 02:00-04:00\"\n"
	for _, tt := range []struct {
		name, before, after string
		want                []string
	}{
		{"nothing", phone + desk, phone + desk, nil},
		{"a new one", phone, phone + desk, []string{`[[notify]] id = "desk"`}},
		{"one is gone", phone + desk, phone, []string{`[[notify]] id = "desk"`}},
		{"only what is not shown", phone, strings.Replace(phone, "h/a", "h/b", 1), []string{`[[notify]] id = "phone"`}},
		{"maintenance", upkeep, strings.Replace(upkeep, "Sun", "Mon", 1), []string{"[[maintenance]]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, after := parse(t, notified+tt.before, env(nil, nil)), parse(t, notified+tt.after, env(nil, nil))
			if got := after.AppliedNotify(before); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestParse_WarnsOfPatternsThatMatchNothing(t *testing.T) {
	c := parse(t, notified+`
[[notify]]
id = "desk"
kind = "desktop"
providers = ["gpu?", "!lap-1"]
[[maintenance]]
providers = ["gpu2"]
at = "02:00-03:00"
`, env(nil, nil))
	want := []string{`p.toml:13: no provider matches "lap-1": did you mean lab-1?`, `p.toml:15: no provider matches "gpu2": did you mean gpu1?`}
	if diff := cmp.Diff(want, c.Warnings); diff != "" {
		t.Error(diff)
	}
}

func TestParse_WarnsOfCredentialsThatOthersCanRead(t *testing.T) {
	e := env(nil, nil)
	e.ReadFile = func(string, int64) ([]byte, fs.FileMode, error) { return []byte("secret"), 0o644, nil }
	c := parse(t, notified+`
[[notify]]
id = "phone"
kind = "webhook"
url_file = "/keys/loose"
`, e)
	want := []string{`p.toml:13: every user of this machine can read the url_file: chmod 600 /keys/loose`}
	if diff := cmp.Diff(want, c.Warnings); diff != "" {
		t.Error(diff)
	}
}

// A kind's own check is shown at the line of the setting.
func TestParse_AsksTheKindOfANotification(t *testing.T) {
	e := env(nil, nil)
	e.CheckNotify = func(n *config.Notify) error {
		if n.Body == "{{" {
			return &config.SettingError{Setting: "body", Problem: "a template that does not end", Fix: `body = "{{.Detail}}"`}
		}
		return nil
	}
	_, err := config.Parse("p.toml", []byte("[[notify]]\nid = \"desk\"\nkind = \"desktop\"\nbody = \"{{\"\n"), kinds(), e)
	const want = "p.toml:4:8: body: a template that does not end\n   4 | body = \"{{\"\n     |        ^^^^\n     = write body = \"{{.Detail}}\""
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestGlobs(t *testing.T) {
	for _, tt := range []struct {
		globs     config.Globs
		yes, none string
	}{
		{config.Globs{"*"}, "gpu1 lab-1", ""},
		{config.Globs{"*", "!lab-*"}, "gpu1", "lab-1"},
		{config.Globs{"!lab-*", "*"}, "gpu1", "lab-1"},
		{config.Globs{"!lab-*"}, "gpu1", "lab-1"},
		{config.Globs{"gpu?", "ollama"}, "gpu1 ollama", "gpu10 ollama:2"},
		{config.Globs{"gpu[!0]"}, "gpu1", "gpu0"},
		{nil, "gpu1", ""},
	} {
		for _, id := range strings.Fields(tt.yes) {
			if !tt.globs.Match(id) {
				t.Errorf("%q does not match %s", tt.globs, id)
			}
		}
		for _, id := range strings.Fields(tt.none) {
			if tt.globs.Match(id) {
				t.Errorf("%q matches %s", tt.globs, id)
			}
		}
	}
}
