package probe_test

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

func TestKinds(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, k := range probe.Kinds() {
		if !kindName.MatchString(k.Name) || seen[k.Name] {
			t.Errorf("%q is no name for a kind, or is another's too", k.Name)
		}
		seen[k.Name] = true
		if u, err := url.Parse(k.BaseURL); err != nil || k.Default && u.Host == "" {
			t.Errorf("%s: base_url %q", k.Name, k.BaseURL)
		}
		if k.KeyNeeded != (k.Type == provider.Cloud) || k.KeyNeeded && len(k.KeyEnv) == 0 {
			t.Errorf("%s: key needed %t, from %v", k.Name, k.KeyNeeded, k.KeyEnv)
		}
		if k.Type == provider.Cloud && k.BaseURL != "" && !strings.HasPrefix(k.BaseURL, "https://") {
			t.Errorf("%s: the key would go to %s in the clear", k.Name, k.BaseURL)
		}
	}
	// What is watched without a file is a promise to people, and is listed here.
	for _, name := range []string{"ollama", "lmstudio", "llamacpp", "openai", "anthropic"} {
		i := slices.IndexFunc(probe.Kinds(), func(k config.Kind) bool { return k.Name == name && k.Default })
		if i < 0 {
			t.Errorf("%s is not there without a file", name)
		}
	}
}

var kindName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// The address of a kind comes from its vendor's variables, if it has any.
func TestKinds_VendorAddress(t *testing.T) {
	t.Parallel()
	variables := map[string]string{
		"OLLAMA_HOST":            "gpu:1",
		"LLAMA_ARG_PORT":         "9931",
		"OPENAI_BASE_URL":        "https://gateway.example/v1 ",
		"ANTHROPIC_BASE_URL":     "https://gateway.example",
		"GOOGLE_GEMINI_BASE_URL": "https://gateway.example",
		"AZURE_OPENAI_ENDPOINT":  "https://gateway.example",
		"PERPLEXITY_BASE_URL":    "https://gateway.example",
	}
	want := map[string]string{
		"ollama": "http://gpu:1", "llamacpp": "http://127.0.0.1:9931",
		"openai": "https://gateway.example/v1", "anthropic": "https://gateway.example",
		"gemini": "https://gateway.example", "azure-openai": "https://gateway.example",
		"perplexity": "https://gateway.example",
	}
	env := config.Env{Getenv: func(name string) string { return variables[name] }}
	for _, k := range probe.Kinds() {
		address := cmp.Or(want[k.Name], k.BaseURL)
		if k.Type == provider.Generic || address == "" {
			continue
		}
		if p := of(t, k.Name, env); p.Endpoint != address {
			t.Errorf("%s: %s, want %s", k.Name, p.Endpoint, address)
		}
	}
}

// of is a provider with nothing configured but its kind.
func of(t *testing.T, kind string, env config.Env) *config.Provider {
	t.Helper()
	c, err := config.Parse("p.toml", []byte("[[provider]]\nid = \"a\"\nkind = \""+kind+"\"\n"), probe.Kinds(), env)
	if err != nil {
		t.Fatal(err)
	}
	return &c.Providers[0]
}

// Clients of a kind that serves models learn where its OpenAI API is, unless it has none,
// and where to look for the key.
func TestKinds_Clients(t *testing.T) {
	t.Parallel()
	none := []string{"triton", "cohere"}
	for _, k := range probe.Kinds() {
		if k.Type == provider.Generic {
			if k.OpenAI != "" {
				t.Errorf("%s serves no models", k.Name)
			}
			continue
		}
		if (k.OpenAI == "") != slices.Contains(none, k.Name) || k.OpenAI != "" && !strings.HasPrefix(k.OpenAI, "/") {
			t.Errorf("%s has OpenAI's API at %q", k.Name, k.OpenAI)
		}
		if k.BaseURL == "" {
			continue
		}
		var key string
		if len(k.KeyEnv) > 0 {
			key = k.KeyEnv[0]
		}
		c := of(t, k.Name, config.Env{}).Client
		if c == nil {
			c = &provider.Client{}
		}
		if c.KeyEnv != key || c.Env != k.AddrEnv {
			t.Errorf("%s: %+v", k.Name, c)
		}
		if k.Type == provider.Local && c.OpenAIBaseURL != "" && !strings.HasSuffix(c.OpenAIBaseURL, "/v1") {
			t.Errorf("%s: %s is not where OpenAI's API is", k.Name, c.OpenAIBaseURL)
		}
	}
}

// A kind's hints are for reasons that can occur, say more than the general ones, and leave
// no placeholder unfilled.
func TestKinds_Hints(t *testing.T) {
	t.Parallel()
	for _, k := range probe.Kinds() {
		for reason, text := range k.Hints {
			hint := provider.Hint(reason, provider.Subject{Hints: k.Hints, ID: "i", Endpoint: "http://h"})
			if m := reason.Meaning(); m.Weight == "" || m.Hint == text || strings.ContainsAny(hint, "{}") {
				t.Errorf("%s, %s: %q", k.Name, reason, hint)
			}
		}
	}
}
