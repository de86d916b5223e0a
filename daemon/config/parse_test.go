package config_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

func parse(t *testing.T, data string, e config.Env) *config.Config {
	t.Helper()
	c, err := config.Parse("p.toml", []byte(data), kinds(), e)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ids(c *config.Config) []string {
	var out []string
	for _, p := range c.Providers {
		out = append(out, p.ID)
	}
	return out
}

func secrets(a, b config.Secret) bool { return a.Reveal() == b.Reveal() }

func TestParse_Defaults(t *testing.T) {
	c := parse(t, `
[[provider]]
id = "local"
kind = "ollama"
[[provider]]
id = "cloud:eu"
kind = "groq"
[[provider]]
id = "port"
kind = "tcp"
base_url = "tcp://[::1]:5432"
`, env(nil, nil))
	want := &config.Config{
		Path: "p.toml",
		Daemon: config.Daemon{
			Socket:   "/tmp/providerd-1000/providerd.sock",
			StateDir: "/home/ada/.local/state/providerd",
			LogLevel: "info",
		},
		Providers: []config.Provider{
			{
				ID: "local", Kind: "ollama", Type: provider.Local,
				BaseURL: "http://127.0.0.1:11434", Endpoint: "http://127.0.0.1:11434",
				Interval: 10 * time.Second, Timeout: 1500 * time.Millisecond, SlowAfter: time.Second, Rise: 1, Fall: 2,
				Hints:  provider.Hints{provider.ConnectionRefused: "start it: ollama serve"},
				Client: &provider.Client{OpenAIBaseURL: "http://127.0.0.1:11434/v1", Env: "OLLAMA_HOST"},
			},
			{
				ID: "cloud:eu", Kind: "groq", Type: provider.Cloud,
				BaseURL: "https://api.groq.com/openai/v1", Endpoint: "https://api.groq.com/openai/v1",
				KeyMissing: "GROQ_API_KEY", Client: &provider.Client{OpenAIBaseURL: "https://api.groq.com/openai/v1", KeyEnv: "GROQ_API_KEY"},
				Interval: time.Minute, Timeout: 5 * time.Second, SlowAfter: 3 * time.Second, Rise: 1, Fall: 2,
			},
			{
				ID: "port", Kind: "tcp", Type: provider.Generic,
				BaseURL: "tcp://[::1]:5432", Endpoint: "tcp://[::1]:5432", BaseURLGiven: true,
				Interval: 10 * time.Second, Timeout: 1500 * time.Millisecond, SlowAfter: time.Second, Rise: 1, Fall: 2,
			},
		},
	}
	if diff := cmp.Diff(want, c, cmp.Comparer(secrets)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParse_EverySetting(t *testing.T) {
	c := parse(t, "\ufeff"+`
autodetect = false
[daemon]
socket = "/run/p.sock"
state_dir = "/srv/p"
admin_group = "wheel"
log_level = "debug"
[defaults]
interval = "20s"
timeout = "2s"
slow_after = "500ms"
rise = 2
fall = 3
[[provider]]
id = "a"
kind = "openai-compatible"
base_url = "HTTPS://Ada:Secret@Example.COM:443/v1/"
api_key_env = "A_KEY"
models = ["m1", "m2"]
enabled = true
[[provider]]
id = "b"
kind = "http"
base_url = "http://example.com/health/"
interval = "1h30m"
timeout = "10ms"
slow_after = "1ms"
rise = 4
fall = 5
expect_status = [200, 204]
expect_body = 'v\d+'
expect_json = { "$.status" = "ok", "$.n" = 3, "$.f" = 0.5, "$.up" = true }
[[provider]]
id = "off"
kind = "groq"
api_key_file = "/absent"
enabled = false
`, env(map[string]string{"A_KEY": " k1 "}, nil))
	want := &config.Config{
		Path:   "p.toml",
		Daemon: config.Daemon{Socket: "/run/p.sock", StateDir: "/srv/p", AdminGroup: "wheel", LogLevel: "debug"},
		Providers: []config.Provider{
			{
				ID: "a", Kind: "openai-compatible", Type: provider.Local,
				BaseURL: "https://Ada:Secret@example.com/v1", Endpoint: "https://example.com/v1", BaseURLGiven: true,
				Key: config.NewSecret("k1"), KeySource: "env A_KEY", Models: []string{"m1", "m2"},
				Client:   &provider.Client{OpenAIBaseURL: "https://example.com/v1", KeyEnv: "A_KEY", Needs: []string{provider.NeedsPassword}},
				Interval: 20 * time.Second, Timeout: 2 * time.Second, SlowAfter: 500 * time.Millisecond, Rise: 2, Fall: 3,
			},
			{
				ID: "b", Kind: "http", Type: provider.Generic,
				BaseURL: "http://example.com/health/", Endpoint: "http://example.com/health/", BaseURLGiven: true,
				Interval: 90 * time.Minute, Timeout: 10 * time.Millisecond, SlowAfter: time.Millisecond, Rise: 4, Fall: 5,
				Expect: config.Expect{
					Status: []int{200, 204},
					Body:   `v\d+`,
					JSON:   map[string]any{"$.status": "ok", "$.n": int64(3), "$.f": 0.5, "$.up": true},
				},
			},
		},
	}
	if diff := cmp.Diff(want, c, cmp.Comparer(secrets)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestParse_BaseURL has what is typed and what it becomes, for a kind that appends paths and for one
// that requests exactly the URL.
func TestParse_BaseURL(t *testing.T) {
	for _, c := range []struct{ kind, typed, want string }{
		{"lmstudio", "http://localhost:1234/", "http://localhost:1234"},
		{"lmstudio", "HTTP://LocalHost:1234", "http://localhost:1234"},
		{"lmstudio", "http://localhost:80/v1//", "http://localhost/v1"},
		{"lmstudio", "http://localhost:443", "http://localhost:443"},
		{"lmstudio", "https://localhost:443", "https://localhost"},
		{"lmstudio", "http://[::1]:80", "http://[::1]"},
		{"lmstudio", "http://[fe80::1%25Eth0]:1234", "http://[fe80::1%25Eth0]:1234"},
		{"lmstudio", "http://localhost/a%2Fb/", "http://localhost/a%2Fb"},
		{"lmstudio", "http://0.0.0.0:1234", "http://0.0.0.0:1234"},
		{"http", "http://localhost/health/", "http://localhost/health/"},
		{"http", "http://localhost/", "http://localhost"},
		{"tcp", "TCP://Localhost:5432/", "tcp://localhost:5432"},
		{"tcp", "unix:///run/A.sock", "unix:///run/A.sock"},
		{"ollama", "unix:///run/A.sock", "unix:///run/A.sock"},
	} {
		t.Run(c.kind+" "+c.typed, func(t *testing.T) {
			got := parse(t, "[[provider]]\nid = \"a\"\nkind = \""+c.kind+"\"\nbase_url = \""+c.typed+"\"", env(nil, nil)).Providers[0]
			if got.BaseURL != c.want || got.Endpoint != c.want {
				t.Errorf("BaseURL %q, Endpoint %q, want %q", got.BaseURL, got.Endpoint, c.want)
			}
		})
	}
}

func TestParse_AddressPrecedence(t *testing.T) {
	e := env(map[string]string{"OLLAMA_HOST": "gpu:7000"}, nil)
	c := parse(t, `
[[provider]]
id = "from-variable"
kind = "ollama"
[[provider]]
id = "from-file"
kind = "ollama"
base_url = "http://cpu:8000"
`, e)
	if got := c.Providers[0].BaseURL; got != "http://gpu:7000" {
		t.Errorf("without base_url: %s", got)
	}
	if got := c.Providers[1].BaseURL; got != "http://cpu:8000" {
		t.Errorf("with base_url: %s", got)
	}
}

func TestParse_Key(t *testing.T) {
	vars := map[string]string{
		"GROQ_API_KEY": "vendor", "GOOGLE_API_KEY": "second", "MINE": "mine",
		"CREDENTIALS_DIRECTORY": "/run/credentials/providerd.service",
	}
	files := map[string]string{"/keys/a": " from-file \r\n", "/run/credentials/providerd.service/groq": "from-systemd"}
	for _, c := range []struct{ name, settings, key, source, missing string }{
		{"VendorsVariable", `kind = "groq"`, "vendor", "env GROQ_API_KEY", ""},
		{"FirstVariableThatIsSet", `kind = "gemini"`, "second", "env GOOGLE_API_KEY", ""},
		{"NamedVariableWins", "kind = \"groq\"\napi_key_env = \"MINE\"", "mine", "env MINE", ""},
		{"NamedVariableUnsetDoesNotFallBack", "kind = \"groq\"\napi_key_env = \"UNSET\"", "", "env UNSET", "UNSET"},
		{"FileWins", "kind = \"groq\"\napi_key_file = \"/keys/a\"", "from-file", "file /keys/a", ""},
		{"Systemd", "kind = \"groq\"\napi_key_file = \"groq\"", "from-systemd", "file /run/credentials/providerd.service/groq", ""},
		{"LocalKindWithKey", "kind = \"lmstudio\"\napi_key_env = \"MINE\"", "mine", "env MINE", ""},
		{"None", `kind = "anthropic"`, "", "", "ANTHROPIC_API_KEY"},
		{"NoneNeeded", `kind = "lmstudio"`, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := parse(t, "[[provider]]\nid = \"a\"\n"+c.settings, env(vars, files)).Providers[0]
			if p.Key.Reveal() != c.key || p.KeySource != c.source {
				t.Errorf("key %q from %q, want %q from %q", p.Key.Reveal(), p.KeySource, c.key, c.source)
			}
			if p.KeyMissing != c.missing {
				t.Errorf("the key is missing in %q, want %q", p.KeyMissing, c.missing)
			}
		})
	}
}

// Keys that the unit would load from a folder are found there if no systemd has loaded them.
func TestParse_KeyOfTheService(t *testing.T) {
	const file = "[[provider]]\nid = \"a\"\nkind = \"groq\"\napi_key_file = \"key_groq\""
	files := map[string]string{"/etc/providerd/credentials/groq": "of-the-service", "/run/c/key_groq": "loaded"}
	for _, c := range []struct {
		name, directory string
		system          bool
		files           map[string]string
		key, fails      string
	}{
		{name: "Loaded", directory: "/run/c", system: true, files: files, key: "loaded"},
		{name: "NotLoaded", system: true, files: files, key: "of-the-service"},
		{name: "NotTheSystems", files: files, fails: "CREDENTIALS_DIRECTORY"},
		{name: "NotPassedOn", directory: "/run/c", system: true, files: map[string]string{"/etc/providerd/credentials/groq": "k"},
			fails: "the key is in /etc/providerd/credentials/groq, but systemd did not pass it on"},
		{name: "NotThere", directory: "/run/c", system: true, fails: "write the key into /etc/providerd/credentials/groq, then restart the service"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := env(map[string]string{"CREDENTIALS_DIRECTORY": c.directory}, c.files)
			e.System = c.system
			cfg, err := config.Parse("f", []byte(file), kinds(), e)
			if err == nil {
				err = cfg.FaultError(nil)
			}
			switch {
			case c.fails != "":
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("got %v, want %q", err, c.fails)
				}
			case err != nil:
				t.Error(err)
			default:
				if got := cfg.Providers[0].Key.Reveal(); got != c.key {
					t.Errorf("got %q, want %q", got, c.key)
				}
			}
		})
	}
}

// The service's user may not read the folder from which systemd loads keys.
func TestParse_KeyThatSystemdDidNotPassOn(t *testing.T) {
	const there, dropIn = "/etc/providerd/credentials/groq", "whether a drop-in clears LoadCredential="
	for _, c := range []struct {
		name, file string
		vars       map[string]string
		denied     bool
		want       []string
	}{
		{"NobodyKnows", "key_groq", map[string]string{"CREDENTIALS_DIRECTORY": "/run/c"}, true, []string{"write the key into " + there, "if it is there already", dropIn}},
		{"NoFolderAtAll", "key_groq", map[string]string{"INVOCATION_ID": "1"}, true, []string{"if it is there already", dropIn}},
		{"WithoutSystemd", "key_groq", nil, true, []string{"let the user that runs providerd read it"}},
		{"OfTheUnitsOwn", "groq", map[string]string{"CREDENTIALS_DIRECTORY": "/run/c"}, false, []string{"give the unit LoadCredential=groq:FILE", dropIn}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := env(c.vars, nil)
			e.System = true
			e.ReadFile = func(name string, _ int64) ([]byte, fs.FileMode, error) {
				why := fs.ErrNotExist
				if c.denied && name == there {
					why = fs.ErrPermission
				}
				return nil, 0, &fs.PathError{Op: "open", Path: name, Err: why}
			}
			cfg, err := config.Parse("f", []byte("[[provider]]\nid = \"a\"\nkind = \"groq\"\napi_key_file = \""+c.file+"\""), kinds(), e)
			if err != nil {
				t.Fatal(err)
			}
			err, hint := cfg.FaultError(nil), cfg.Providers[0].Hints[provider.NoCredentials]
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(hint, want) {
					t.Errorf("got %v and the hint %q, want %q", err, hint, want)
				}
			}
			if next := provider.HintOf(err); c.vars != nil && (strings.Contains(next, "config check") || !strings.Contains(next, "systemctl restart providerd")) {
				t.Errorf("a check finds the key, and a reload does not: the hint is %q", next)
			}
			if reload := strings.Contains(hint, "providerctl reload"); reload == strings.Contains(hint, "restart the service") {
				t.Errorf("%q: a reload and a restart are not the same", hint)
			}
		})
	}
}

func TestParse_Autodetect(t *testing.T) {
	vars := map[string]string{"GEMINI_API_KEY": "k", "AZURE_OPENAI_API_KEY": "k"} // and no address for the latter
	for _, c := range []struct {
		name, data string
		want       []string
	}{
		{"OffByDefault", "[[provider]]\nid = \"a\"\nkind = \"lmstudio\"", []string{"a"}},
		{"AddsAfterTheNamed", "autodetect = true\n[[provider]]\nid = \"z\"\nkind = \"http\"\nbase_url = \"http://h\"",
			[]string{"z", "ollama", "lmstudio", "llamacpp", "openai", "anthropic", "gemini"}},
		{"LeavesNamedKindsToTheFile", "autodetect = true\n[[provider]]\nid = \"mine\"\nkind = \"ollama\"",
			[]string{"mine", "lmstudio", "llamacpp", "openai", "anthropic", "gemini"}},
		{"DisabledKindStaysOut", "autodetect = true\n[[provider]]\nid = \"x\"\nkind = \"gemini\"\nenabled = false",
			[]string{"ollama", "lmstudio", "llamacpp", "openai", "anthropic"}},
		{"IdTaken", "autodetect = true\n[[provider]]\nid = \"ollama\"\nkind = \"lmstudio\"",
			[]string{"ollama", "llamacpp", "openai", "anthropic", "gemini"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, ids(parse(t, c.data, env(vars, nil)))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Nobody asked for a provider that no file names, unless a key for it is set, even if that is
// a bad one.
func TestParse_Unasked(t *testing.T) {
	for name, tc := range map[string]struct {
		data, key string
		unasked   bool
	}{
		"Detected":          {"autodetect = true", "", true},
		"DetectedWithAKey":  {"autodetect = true", "test-key", false},
		"DetectedBadKey":    {"autodetect = true", "test key\x07", false},
		"DetectedBlankKey":  {"autodetect = true", " ", true},
		"NamedWithoutAKey":  {"[[provider]]\nid = \"openai\"\nkind = \"openai\"", "", false},
		"NamedAndKeyIsSet":  {"[[provider]]\nid = \"openai\"\nkind = \"openai\"", "test-key", false},
		"NamedBesideOthers": {"autodetect = true\n[[provider]]\nid = \"openai\"\nkind = \"openai\"", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			c := parse(t, tc.data, env(map[string]string{"OPENAI_API_KEY": tc.key}, nil))
			i := slices.IndexFunc(c.Providers, func(p config.Provider) bool { return p.ID == "openai" })
			if got := c.Providers[i].Unasked(); got != tc.unasked {
				t.Errorf("it is %v", got)
			}
		})
	}
}

func TestParse_AutodetectTakesDefaults(t *testing.T) {
	c := parse(t, "autodetect = true\n[defaults]\ninterval = \"30s\"", env(nil, nil))
	for _, p := range c.Providers {
		if p.Interval != 30*time.Second {
			t.Errorf("%s: interval %v", p.ID, p.Interval)
		}
	}
}

// A provider's row has its hints without the table of kinds.
func TestParse_HandsOnTheHintsOfTheKind(t *testing.T) {
	for name, data := range map[string]string{
		"Named":      "[[provider]]\nid = \"ollama\"\nkind = \"ollama\"",
		"Autodetect": "autodetect = true",
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, data, env(nil, nil)).Providers[0]
			if got := p.Hints[provider.ConnectionRefused]; got != "start it: ollama serve" {
				t.Errorf("%s: hints %v", p.ID, p.Hints)
			}
		})
	}
}

func TestParse_Warnings(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"NoProvider", "", "p.toml: no provider is configured: add a [[provider]], or autodetect = true"},
		{"VariableNotSet", "[[provider]]\nid = \"a\"\nkind = \"groq\"\napi_key_env = \"UNSET\"",
			`p.toml:4: provider "a": environment variable UNSET is not set`},
		{"StateDirectoryWins", "autodetect = true\n[daemon]\nstate_dir = \"/srv/p\"",
			`p.toml:3: state_dir is not used: STATE_DIRECTORY is "/var/lib/private/p"`},
		{"IdTaken", "autodetect = true\n[[provider]]\nid = \"ollama\"\nkind = \"lmstudio\"",
			"p.toml:3: autodetect leaves out kind ollama: its id is taken by this provider"},
		{"None", "autodetect = true", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := env(map[string]string{"STATE_DIRECTORY": "/var/lib/private/p:/other"}, nil)
			got := strings.Join(parse(t, c.data, e).Warnings, "\n")
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestParse_SameFileSameProviders checks what a reload relies on: an unchanged provider is equal to
// itself.
func TestParse_SameFileSameProviders(t *testing.T) {
	e := env(map[string]string{"GROQ_API_KEY": "k"}, nil)
	const data = "autodetect = true\n[[provider]]\nid = \"h\"\nkind = \"http\"\nbase_url = \"http://h\"\nexpect_json = { \"$.a\" = 1 }"
	a, b := parse(t, data, e), parse(t, data, e)
	if diff := cmp.Diff(a, b, cmpopts.EquateComparable(config.Secret{})); diff != "" {
		t.Error(diff)
	}
}
