package probe_test

import (
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

const rest = "0000example0000"

// markedKeys are keys as those vendors mark them.
var markedKeys = map[string]string{
	"openai": "sk-proj-" + rest, "anthropic": "sk-ant-api03-" + rest, "openrouter": "sk-or-v1-" + rest, "groq": "gsk_" + rest,
	"xai": "xai-" + rest, "gemini": "AIza" + rest, "perplexity": "pplx-" + rest, "fireworks": "fw_" + rest,
	"huggingface": "hf_" + rest, "nvidia": "nvapi-" + rest, "cerebras": "csk-" + rest,
}

// A vendor's key goes to that vendor alone, and one without a mark to whomever it is
// configured for.
func TestPromise7_AVendorsKeyGoesToThatVendorAlone(t *testing.T) {
	for _, k := range probe.Kinds() {
		if k.Type != provider.Cloud || k.BaseURL == "" || len(k.KeyEnv) == 0 {
			continue
		}
		keyOf := func(key string) *config.Provider {
			env := config.Env{UID: 1000, Getenv: func(name string) string { return map[string]string{k.KeyEnv[0]: key}[name] }}
			cfg, err := config.Parse("p.toml", []byte("autodetect = false\n[[provider]]\nid = \"p\"\nkind = \""+k.Name+"\"\n"), probe.Kinds(), env)
			if err != nil {
				t.Fatal(err)
			}
			return &cfg.Providers[0]
		}
		if p := keyOf(rest); p.Key.IsZero() {
			t.Errorf("%s does not get a key without a mark: %s", k.Name, p.KeyFault)
		}
		for whose, key := range markedKeys {
			p := keyOf(key)
			if sent := !p.Key.IsZero(); sent != (whose == k.Name) {
				t.Errorf("%s gets a key of %s: %v", k.Name, whose, sent)
			}
			if whose != k.Name && !strings.Contains(p.Hints[provider.NoCredentials], "a key for "+k.Name) {
				t.Errorf("%s with a key of %s: hint %q", k.Name, whose, p.Hints[provider.NoCredentials])
			}
		}
	}
}

// Each vendor's mark tells its keys from those of all others.
func TestKinds_KnowTheirOwnKeys(t *testing.T) {
	for whose, key := range markedKeys {
		for _, k := range probe.Kinds() {
			if got, want := k.OwnKey != nil && k.OwnKey(key), k.Name == whose; got != want {
				t.Errorf("%s takes a key of %s for its own: %v", k.Name, whose, got)
			}
		}
	}
	for _, k := range probe.Kinds() {
		if k.Name == "openai" && !k.OwnKey("sk-00T3BlbkFJ00") {
			t.Error("an older key of OpenAI's is not known")
		}
		if k.OwnKey != nil && k.OwnKey("sk-"+rest) {
			t.Errorf("%s takes a key that may be anybody's for its own", k.Name)
		}
	}
}
