package probe_test

import (
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

const starterKey = "not-a-key-of-anybody"

// everything is a machine on which each local kind answers, and each variable is set.
func everything(uid int, more map[string]string) (found []provider.Discovered, env config.Env) {
	vars := map[string]string{"HOME": "/home/me"}
	for _, k := range probe.Kinds() {
		for _, name := range append(k.KeyEnv, k.TokenEnv) {
			vars[name] = starterKey
		}
		if k.Type == provider.Local && k.BaseURL != "" {
			found = append(found, provider.Discovered{Kind: k.Name, BaseURL: k.BaseURL, Version: "1.0\n[[provider]]"})
		}
	}
	for name, value := range more {
		vars[name] = value
	}
	return found, config.Env{Getenv: func(name string) string { return vars[name] }, UID: uid, TempDir: "/tmp"}
}

// The starter file is valid as it is, and watches the same providers as no file.
func TestStarter_IsGoodAsItStands(t *testing.T) {
	for name, c := range map[string]struct {
		uid  int
		vars map[string]string
	}{
		"User":               {uid: 1000},
		"System":             {uid: 0},
		"KeyThatIsNone":      {1000, map[string]string{"OPENAI_API_KEY": "two words", "GROQ_API_KEY": "gro\u0107"}},
		"KeyOfAnother":       {1000, map[string]string{"ANTHROPIC_API_KEY": "sk-proj-" + starterKey, "GROQ_API_KEY": "xai-" + starterKey}},
		"AddressesElsewhere": {1000, map[string]string{"OLLAMA_HOST": "gpu.example.net", "OPENAI_BASE_URL": "https://me:secret-of-me@llm.example.com/v1"}},
		"AddressIsWrong":     {1000, map[string]string{"OPENAI_BASE_URL": "::::", "OLLAMA_HOST": "http://[::"}},
	} {
		t.Run(name, func(t *testing.T) {
			found, env := everything(c.uid, c.vars)
			text := config.Starter(probe.Kinds(), env, found)
			if strings.Contains(text, starterKey) || strings.Contains(text, "secret-of-me") || strings.Contains(text, "two words") {
				t.Errorf("a secret is in it:\n%s", text)
			}
			cfg, err := config.Parse("starter.toml", []byte(text), probe.Kinds(), env)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if len(cfg.Faults) > 0 {
				t.Errorf("faults: %v\n%s", cfg.Faults, text)
			}
			without, err := config.Parse("none.toml", []byte("autodetect = true"), probe.Kinds(), env)
			if err != nil {
				t.Fatal(err)
			}
			watched := map[string]bool{}
			for _, p := range cfg.Providers {
				watched[p.Endpoint+" "+p.Kind] = true
			}
			for _, p := range without.Providers {
				if !watched[p.Endpoint+" "+p.Kind] {
					t.Errorf("%s at %s is watched only without the file\n%s", p.Kind, p.Endpoint, text)
				}
			}
			for _, d := range found {
				if !watched[d.BaseURL+" "+d.Kind] && !strings.Contains(text, "#base_url = \""+d.BaseURL) {
					t.Errorf("%s is not watched", d.BaseURL)
				}
			}
		})
	}
}

// Anybody may answer at a default port, so the starter file does not allow that server a
// key.
func TestStarter_TrustsNobodyWithAKey(t *testing.T) {
	found, env := everything(1000, map[string]string{"OLLAMA_HOST": "gpu.example.net"})
	cfg, err := config.Parse("starter.toml", []byte(config.Starter(probe.Kinds(), env, found)), probe.Kinds(), env)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range cfg.Providers {
		if p.BaseURLGiven && !p.Key.IsZero() && strings.HasPrefix(p.Endpoint, "http://127.0.0.1") {
			t.Errorf("the file says that %s may have the key of %s", p.Endpoint, p.ID)
		}
	}
}
