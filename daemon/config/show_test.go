package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/providerd/providerd/daemon/config"
)

func TestConfig_Show(t *testing.T) {
	c := parse(t, `
autodetect = true
[daemon]
admin_group = "wheel"
[[provider]]
id = "local"
kind = "ollama"
base_url = "http://ada:leak@gpu:11434"
models = ["qwen3:8b"]
[[provider]]
id = "cloud"
kind = "groq"
api_key_file = "/keys/groq"
[[provider]]
id = "health"
kind = "http"
base_url = "http://h/health"
api_key_env = "UNSET"
expect_status = [204]
expect_body = "\\d\u0007"
expect_json = { "$.n" = 1.0 }
[[provider]]
id = "off"
kind = "lmstudio"
enabled = false
[[provider]]
id = "off2"
kind = "llamacpp"
enabled = false
[[provider]]
id = "off3"
kind = "anthropic"
enabled = false
`, env(map[string]string{"OPENAI_API_KEY": "leak"}, map[string]string{"/keys/groq": "leak"}))
	const want = `# p.toml, with every default filled in
autodetect = false # what it added is below

[daemon]
socket = "/tmp/providerd-1000/providerd.sock"
state_dir = "/home/ada/.local/state/providerd"
admin_group = "wheel"
log_level = "info"
metrics_listen = ""
metrics_provider_latency = false

[[provider]]
id = "local"
kind = "ollama"
# base_url has a user or a password, which is not shown
base_url = "http://gpu:11434"
models = ["qwen3:8b"]
interval = "10s"
timeout = "1.5s"
slow_after = "1s"
rise = 1
fall = 2

[[provider]]
id = "cloud"
kind = "groq"
# base_url = "https://api.groq.com/openai/v1"
api_key_file = "/keys/groq" # ***
interval = "1m"
timeout = "5s"
slow_after = "3s"
rise = 1
fall = 2
status_feed = { url = "https://groqstatus.com/api/v2/summary.json", format = "statuspage", components = ["API"] }

[[provider]]
id = "health"
kind = "http"
base_url = "http://h/health"
api_key_env = "UNSET" # not set
interval = "10s"
timeout = "1.5s"
slow_after = "1s"
rise = 1
fall = 2
expect_status = [204]
expect_body = "\\d\u0007"
expect_json = { "$.n" = 1.0 }

[[provider]]
id = "openai"
kind = "openai"
# base_url = "https://api.openai.com/v1"
api_key_env = "OPENAI_API_KEY" # ***
interval = "1m"
timeout = "5s"
slow_after = "3s"
rise = 1
fall = 2
status_feed = false
`
	if diff := cmp.Diff(want, c.Show()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestConfig_KeepsSecrets formats and encodes a configuration in every way that careless code might.
func TestConfig_KeepsSecrets(t *testing.T) {
	c := parse(t, "[[provider]]\nid = \"a\"\nkind = \"groq\"\napi_key_env = \"K\"", env(map[string]string{"K": "leak"}, nil))
	if c.Providers[0].Key.Reveal() != "leak" {
		t.Fatal("the key was not read")
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		c.Show(), string(encoded), fmt.Sprint(c.Providers), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c.Providers[0]),
		fmt.Sprintf("%s %q %x %d", c.Providers[0].Key, c.Providers[0].Key, c.Providers[0].Key, c.Providers[0].Key),
	} {
		if strings.Contains(text, "leak") || strings.Contains(text, "6c65616b") {
			t.Errorf("a secret in %s", text)
		}
	}
}

// shownAgain parses what Show prints, and compares. Show omits user-info, what looks like a
// secret in a command, and what can be one in the address of a notification.
func shownAgain(t *testing.T, c *config.Config, e config.Env) {
	t.Helper()
	again, err := config.Parse("shown.toml", []byte(c.Show()), kinds(), e)
	if err != nil {
		t.Fatalf("what Show prints is refused: %v\n%s", err, c.Show())
	}
	for i := range c.Providers {
		if u, err := url.Parse(c.Providers[i].BaseURL); err == nil && u.User != nil { // it is not shown, so no client needs it
			c.Providers[i].Client, again.Providers[i].Client = nil, nil
		}
		c.Providers[i].BaseURL = c.Providers[i].Endpoint
		if len(c.Providers[i].ArgumentSecrets()) > 0 {
			c.Providers[i].Command, again.Providers[i].Command = nil, nil
		}
	}
	for i := range c.Notify {
		c.Notify[i].URL = c.Notify[i].ShownURL()
	}
	if diff := cmp.Diff(c, again, cmpopts.EquateComparable(config.Secret{}),
		cmpopts.IgnoreFields(config.Config{}, "Path", "Autodetect", "Warnings"), cmpopts.IgnoreFields(config.Provider{}, "Detected"), cmpopts.IgnoreFields(config.Problem{}, "Line", "Column", "Excerpt"),
		cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("what Show prints means something else (-was +is):\n%s\n%s", diff, c.Show())
	}
}

// FuzzParse checks two things for any file: Parse never panics, and what it accepts is shown as an
// equivalent file.
func FuzzParse(f *testing.F) {
	archives, err := filepath.Glob("testdata/errors/*.txtar")
	if err != nil || len(archives) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range archives {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for part := range bytes.SplitSeq(data, []byte("\n-- ")) {
			if _, toml, ok := bytes.Cut(part, []byte(" --\n")); ok {
				f.Add(toml)
			}
		}
	}
	f.Add([]byte("autodetect = true\n[defaults]\nrise = 3\n"))
	f.Add([]byte("[[provider]]\nid = 'a'\nkind = 'lmstudio'\nbase_url = 'http://u@t'\n"))
	f.Add([]byte("provider = [{ id = 'a', kind = 'http', base_url = 'http://u:p@H:80/x/', expect_json = { '$.a' = 1e9, '$[\"\\U0001F600\"]' = '\u2028' } }]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		e := env(map[string]string{"GROQ_API_KEY": "k", "K": "k"}, map[string]string{"/k": "k"})
		c, err := config.Parse("p.toml", data, kinds(), e)
		if err != nil {
			if text := err.Error(); text == "" || strings.HasSuffix(text, "\n") {
				t.Errorf("error %q", text)
			}
			return
		}
		shownAgain(t, c, e)
	})
}

// TestExample keeps the example in docs valid, including its comments: it must still be valid with
// every commented setting enabled.
func TestExample(t *testing.T) {
	data, err := os.ReadFile("../../docs/providerd.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(data)) {
		all = append(all, strings.TrimPrefix(line, "#")) // "#key = …" is a setting, "# words" a comment
		if strings.HasPrefix(line, "# ") {
			all[len(all)-1] = line
		}
	}
	e := env(map[string]string{"OPENAI_API_KEY": "k", "OPENAI_TEAM_KEY": "k"}, nil)
	own := issue(t, "a client")
	e.ReadFile = func(name string, _ int64) ([]byte, fs.FileMode, error) {
		if filepath.Ext(name) == ".pem" || name == "/etc/providerd/client.key" {
			return []byte(own.cert + own.key), 0o600, nil
		}
		return []byte("k"), 0o600, nil
	}
	for name, text := range map[string]string{"AsItIs": string(data), "Uncommented": strings.Join(all, "")} {
		t.Run(name, func(t *testing.T) {
			onlyHere := func(k config.Kind) bool { return k.Name == "groq" || k.Name == "gemini" }
			c, err := config.Parse("example.toml", []byte(text), slices.DeleteFunc(kinds(), onlyHere), e)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Providers) == 0 || len(c.Warnings) > 0 {
				t.Errorf("%d providers, warnings %q", len(c.Providers), c.Warnings)
			}
			shownAgain(t, c, e)
		})
	}
}
