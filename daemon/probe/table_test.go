package probe_test

import (
	"net/url"
	"slices"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

func TestKinds(t *testing.T) {
	t.Parallel()
	var names, withoutAFile []string
	for _, k := range probe.Kinds() {
		names = append(names, k.Name)
		if k.Default {
			withoutAFile = append(withoutAFile, k.Name)
		}
		if u, err := url.Parse(k.BaseURL); err != nil || k.Default && u.Host == "" {
			t.Errorf("%s: base_url %q", k.Name, k.BaseURL)
		}
		if k.KeyNeeded != (k.Type == provider.Cloud) || k.KeyNeeded && len(k.KeyEnv) == 0 {
			t.Errorf("%s: key needed %t, from %v", k.Name, k.KeyNeeded, k.KeyEnv)
		}
	}
	if want := []string{"ollama", "lmstudio", "llamacpp", "openai-compatible", "openai", "anthropic", "http", "tcp", "exec"}; !slices.Equal(names, want) {
		t.Errorf("kinds %v, want %v", names, want)
	}
	if want := []string{"ollama", "lmstudio", "llamacpp", "openai", "anthropic"}; !slices.Equal(withoutAFile, want) {
		t.Errorf("without a file %v, want %v", withoutAFile, want)
	}
}

func TestKinds_VendorAddress(t *testing.T) {
	t.Parallel()
	variables := map[string]string{
		"OLLAMA_HOST":        "gpu:1",
		"LLAMA_ARG_PORT":     "9931",
		"OPENAI_BASE_URL":    "https://gateway.example/v1 ",
		"ANTHROPIC_BASE_URL": "https://gateway.example",
	}
	want := map[string]string{
		"ollama": "http://gpu:1", "llamacpp": "http://127.0.0.1:9931",
		"openai": "https://gateway.example/v1", "anthropic": "https://gateway.example",
	}
	for _, k := range probe.Kinds() {
		if k.AddrEnv == nil {
			continue
		}
		got, err := k.AddrEnv(func(name string) string { return variables[name] })
		if err != nil || got != want[k.Name] {
			t.Errorf("%s: %q, %v, want %q", k.Name, got, err, want[k.Name])
		}
		if got, err := k.AddrEnv(func(string) string { return "" }); got != "" || err != nil {
			t.Errorf("%s without its variable: %q, %v", k.Name, got, err)
		}
	}
}
