package probe_test

import (
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
	// What runs without a file is a promise to people, and named here.
	for _, name := range []string{"ollama", "lmstudio", "llamacpp", "openai", "anthropic"} {
		i := slices.IndexFunc(probe.Kinds(), func(k config.Kind) bool { return k.Name == name && k.Default })
		if i < 0 {
			t.Errorf("%s is not there without a file", name)
		}
	}
}

var kindName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

func TestKinds_VendorAddress(t *testing.T) {
	t.Parallel()
	variables := map[string]string{
		"OLLAMA_HOST":         "gpu:1",
		"LLAMA_ARG_PORT":      "9931",
		"OPENAI_BASE_URL":     "https://gateway.example/v1 ",
		"ANTHROPIC_BASE_URL":  "https://gateway.example",
		"PERPLEXITY_BASE_URL": "https://gateway.example",
	}
	want := map[string]string{
		"ollama": "http://gpu:1", "llamacpp": "http://127.0.0.1:9931",
		"openai": "https://gateway.example/v1", "anthropic": "https://gateway.example",
		"perplexity": "https://gateway.example",
	}
	for _, k := range probe.Kinds() {
		if k.AddrEnv == nil {
			continue
		}
		got, err := k.AddrEnv(func(name string) string { return variables[name] })
		if address, ok := want[k.Name]; ok && (err != nil || got != address) {
			t.Errorf("%s: %q, %v, want %q", k.Name, got, err, address)
		}
		if got, err := k.AddrEnv(func(string) string { return "" }); got != "" || err != nil {
			t.Errorf("%s without its variable: %q, %v", k.Name, got, err)
		}
	}
}

// A kind's hints are of reasons that can come up, say more than those do, and leave
// no hole.
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
