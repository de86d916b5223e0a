package config_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
)

// TestParse_KindSettings checks that settings of only some kinds are read, located and shown in an
// equivalent form.
func TestParse_KindSettings(t *testing.T) {
	c := parse(t, `
[[provider]]
id = "cert"
kind = "tls"
base_url = "tls://Example.org:443"
expect_days = 21
[[provider]]
id = "name"
kind = "dns"
base_url = "dns://192.0.2.53/example.org?type=AAAA"
expect_answer = '^2001:db8:'
[[provider]]
id = "plugin"
kind = "exec"
command = ["/bin/check", "-w", "5 6"]
[[provider]]
id = "unit"
kind = "systemd"
unit = "ollama.service"
[[provider]]
id = "mine"
kind = "systemd"
unit = "ollama.service"
bus = "user"
[[provider]]
id = "server"
kind = "ollama"
unit = "ollama@gpu.service"
bus = "user"
`, env(nil, nil))
	want := map[string]struct {
		endpoint string
		expect   config.Expect
		command  []string
	}{
		"cert":   {endpoint: "tls://example.org:443", expect: config.Expect{Days: 21}},
		"name":   {endpoint: "dns://192.0.2.53:53/example.org?type=AAAA", expect: config.Expect{Answer: "^2001:db8:"}},
		"plugin": {endpoint: "exec:/bin/check", command: []string{"/bin/check", "-w", "5 6"}},
		"unit":   {endpoint: "systemd://system/ollama.service"},
		"mine":   {endpoint: "systemd://user/ollama.service"},
		"server": {endpoint: "http://127.0.0.1:11434"},
	}
	for _, p := range c.Providers {
		w := want[p.ID]
		if p.Endpoint != w.endpoint || p.BaseURL != w.endpoint {
			t.Errorf("%s: at %s, %s, want %s", p.ID, p.BaseURL, p.Endpoint, w.endpoint)
		}
		if local := p.Kind == "exec" || p.Kind == "systemd" || p.Kind == "ollama"; p.OnThisMachine() != local {
			t.Errorf("%s: on this machine: %t", p.ID, !local)
		}
		if diff := cmp.Diff(w.expect, p.Expect); diff != "" {
			t.Errorf("%s: -want +got:\n%s", p.ID, diff)
		}
		if p.ID == "server" && (p.Client.Unit != "ollama@gpu.service" || p.Client.Bus != "user") {
			t.Errorf("%s: %+v, client %+v", p.ID, p, p.Client)
		}
		if diff := cmp.Diff(w.command, p.Command); diff != "" {
			t.Errorf("%s: -want +got:\n%s", p.ID, diff)
		}
	}
	again := parse(t, c.Show(), env(nil, nil))
	if diff := cmp.Diff(c.Providers, again.Providers, cmp.Comparer(secrets)); diff != "" {
		t.Errorf("shown and read again: -want +got:\n%s", diff)
	}
}

// TestParse_KindsOwnInterval checks that [defaults] does not make probes more frequent than a kind's
// vendor allows; only a provider's own setting does.
func TestParse_KindsOwnInterval(t *testing.T) {
	const entry = "[[provider]]\nid = \"c\"\nkind = \"cohere\"\n"
	vars := map[string]string{"COHERE_API_KEY": "test-key-of-nobody"}
	for text, want := range map[string]time.Duration{
		entry: 2 * time.Hour,
		"[defaults]\ninterval = \"10s\"\n" + entry: 2 * time.Hour,
		"[defaults]\ninterval = \"3h\"\n" + entry:  3 * time.Hour,
		entry + "interval = \"1m\"\n":              time.Minute,
	} {
		if got := parse(t, text, env(vars, nil)).Providers[0].Interval; got != want {
			t.Errorf("%q: asked every %s, want %s", text, got, want)
		}
	}
	detected := parse(t, "autodetect = true\n", env(vars, nil)).Providers
	if c := detected[len(detected)-1]; c.Kind != "cohere" || c.Interval != 2*time.Hour {
		t.Errorf("detected %s, asked every %s", c.Kind, c.Interval)
	}
}
