package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// A bad variable only affects one provider: its row says why, secrets in the variable are not
// shown, and the other providers work.
func TestLoad_BadVariableKeepsNobodyElse(t *testing.T) {
	for _, c := range []struct {
		variable, value, provider string
		reason                    provider.Reason
		fault, hint               string
	}{
		{"OLLAMA_HOST", "gpu:", "ollama", provider.Misconfigured, "environment variable OLLAMA_HOST: gpu: has no port",
			"correct or unset OLLAMA_HOST, or give base_url in the configuration, then restart providerd"},
		{"OLLAMA_HOST", "http://ada:leak@gpu:0", "ollama", provider.Misconfigured, "environment variable OLLAMA_HOST: the address has port 0: it must be from 1 to 65535",
			"correct or unset OLLAMA_HOST, or give base_url in the configuration, then restart providerd"},
		{"ANTHROPIC_BASE_URL", "gateway:4000", "anthropic", provider.Misconfigured, `environment variable ANTHROPIC_BASE_URL: the address is "gateway:4000": the scheme is missing`,
			"set ANTHROPIC_BASE_URL to http://gateway:4000, then restart providerd"},
		{"OPENAI_API_KEY", "leak\nleak", "openai", provider.NoCredentials, "environment variable OPENAI_API_KEY: the key has more than one line",
			"set OPENAI_API_KEY to the key alone, then restart providerd"},
		{"OPENAI_API_KEY", "leak—leak", "openai", provider.NoCredentials, "environment variable OPENAI_API_KEY: the key contains a non-ASCII character",
			"set OPENAI_API_KEY to the key alone, then restart providerd"},
		{"GROQ_API_KEY", "Bearer leak", "groq", provider.NoCredentials, "environment variable GROQ_API_KEY: the key begins with the word Bearer",
			"set GROQ_API_KEY to the key alone, then restart providerd"},
	} {
		t.Run(c.variable+"="+c.value, func(t *testing.T) {
			vars := map[string]string{c.variable: c.value, "GEMINI_API_KEY": "k"}
			got, err := config.Load("", false, kinds(), diskEnv(t.TempDir(), vars))
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"ollama", "lmstudio", "llamacpp", "openai", "anthropic", "gemini", c.provider} {
				if !strings.Contains(strings.Join(ids(got), " "), id) {
					t.Errorf("%s is not there", id)
				}
			}
			for _, p := range got.Providers {
				if p.ID != c.provider {
					if p.AddressFault+p.KeyFault != "" {
						t.Errorf("%s: %s%s", p.ID, p.AddressFault, p.KeyFault)
					}
					continue
				}
				if fault := p.AddressFault + p.KeyFault; fault != c.fault || p.Hints[c.reason] != c.fault+": "+c.hint {
					t.Errorf("got  %s\nwant %s\nhint %s\nwant %s", fault, c.fault, p.Hints[c.reason], c.hint)
				}
				if c.reason == provider.NoCredentials && (!p.Key.IsZero() || p.KeyMissing != c.variable) {
					t.Errorf("key %q, missing %q", p.Key.Reveal(), p.KeyMissing)
				}
			}
			if warned := strings.Join(got.Warnings, "\n"); !strings.HasPrefix(warned, c.fault) || strings.Contains(warned, "leak") {
				t.Errorf("warnings %q", warned)
			}
			if err := got.FaultError(nil); err != nil {
				t.Errorf("a check refuses what no file names: %v", err)
			}
			if shown := got.Show(); strings.Contains(shown, "leak") || !strings.Contains(shown, c.fault) {
				t.Errorf("shown as\n%s", shown)
			}
		})
	}
}

// If something that the file names cannot be used, a check and a reload refuse it, but a daemon
// starts without it.
func TestParse_FaultsOfNamedKeys(t *testing.T) {
	const file = `[[provider]]
id = "a"
kind = "groq"
api_key_env = "A"
[[provider]]
id = "b"
kind = "openai"
api_key_file = "/keys/absent"
[[provider]]
id = "c"
kind = "lmstudio"
api_key_env = "C"
`
	cfg := parse(t, file, env(map[string]string{"A": "two words", "C": "k"}, nil))
	if diff := cmp.Diff([]string{"a", "b", "c"}, ids(cfg)); diff != "" {
		t.Fatal(diff)
	}
	text := cfg.FaultError(nil).Error()
	for _, want := range []string{`p.toml:4:15: environment variable A: the key contains a blank`, `p.toml:8:16: key file "/keys/absent": file does not exist`} {
		if !strings.Contains(text, want) {
			t.Errorf("got %s\nwithout %s", text, want)
		}
	}
	known := func(f config.Fault) bool { return f.ID == "a" }
	if err := cfg.FaultError(known); err == nil || strings.Contains(err.Error(), "variable A") {
		t.Errorf("less those of a: %v", err)
	}
	if err := cfg.FaultError(func(config.Fault) bool { return true }); err != nil {
		t.Errorf("less all: %v", err)
	}
	if p := cfg.Providers[1]; p.KeyMissing != "OPENAI_API_KEY" || p.Hints[provider.NoCredentials] != `key file "/keys/absent": file does not exist: `+"create it, or correct the path, then: providerctl reload" {
		t.Errorf("b: missing %q, hints %v", p.KeyMissing, p.Hints)
	}
	if p := cfg.Providers[2]; p.KeyFault != "" || p.Key.Reveal() != "k" {
		t.Errorf("c: %q", p.KeyFault)
	}
}

// An outdated variable is not used, but causes a warning.
func TestLoad_OldVariable(t *testing.T) {
	old := kinds()
	for i := range old {
		if old[i].Name == "openai" {
			old[i].AddrEnv, old[i].OldAddrEnv = "OPENAI_BASE_URL", "OPENAI_API_BASE"
		}
	}
	vars := map[string]string{"OPENAI_API_BASE": "https://gw.example/v1"}
	for _, want := range []string{"environment variable OPENAI_API_BASE is ignored, as openai's own programs no longer read it: set OPENAI_BASE_URL", ""} {
		cfg, err := config.Load("", false, old, diskEnv(t.TempDir(), vars))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(cfg.Warnings, "\n"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		vars["OPENAI_BASE_URL"] = "https://gw.example/v1"
	}
}

// An empty variable is distinguished from one that is not set.
func TestLoad_EmptyVariable(t *testing.T) {
	e := diskEnv(t.TempDir(), nil)
	e.LookupEnv = func(name string) (string, bool) { return "", name == "OPENAI_API_KEY" }
	cfg, err := config.Load("", false, kinds(), e)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"openai": "OPENAI_API_KEY is empty"}
	for _, p := range cfg.Providers {
		if p.KeyFault != want[p.ID] {
			t.Errorf("%s: %q, want %q", p.ID, p.KeyFault, want[p.ID])
		}
	}
}
