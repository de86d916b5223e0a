package probe_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// If a key cannot be sent, a server that may not need it is probed without it, and the row
// says why.
func TestProbe_WithoutAKeyThatCannotBeSent(t *testing.T) {
	for _, tt := range []struct {
		status int
		saw    provider.Reason
		detail string
	}{
		{200, provider.OK, "probed without its key: environment variable LM_API_TOKEN: the key contains a blank"},
		{401, provider.Unauthorized, "environment variable LM_API_TOKEN: the key contains a blank"},
	} {
		sent := false
		address := listening(t, func(w http.ResponseWriter, r *http.Request) {
			sent = sent || r.Header.Get("Authorization") != ""
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(`{"models":[{"key":"m"}]}`))
		})
		env := config.Env{Getenv: func(name string) string { return map[string]string{"LM_API_TOKEN": "two words"}[name] }}
		cfg, err := config.Parse("f", []byte("[[provider]]\nid = \"a\"\nkind = \"lmstudio\"\nbase_url = \"http://"+address+"\""), probe.Kinds(), env)
		if err != nil {
			t.Fatal(err)
		}
		p := cfg.Providers[0]
		o := once(t, p, probe.Options{}, probe.Ask{})
		if o.Saw != tt.saw || o.Detail != tt.detail || sent {
			t.Errorf("%d: %s %q, a key was sent: %v", tt.status, o.Saw, o.Detail, sent)
		}
		if hint := p.Hints[provider.Unauthorized]; !strings.Contains(hint, "set LM_API_TOKEN to the key alone") {
			t.Errorf("hint %q", hint)
		}
	}
}

// An address copied from a request to Azure or Gemini is corrected in one step.
func TestConfig_CopiedRequests(t *testing.T) {
	for _, tt := range []struct{ kind, typed, better string }{
		{"azure-openai", "https://r.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21", "https://r.openai.azure.com"},
		{"azure-openai", "https://r.openai.azure.com/openai/deployments/gpt/chat/completions", "https://r.openai.azure.com"},
		{"gemini", "https://generativelanguage.googleapis.com/v1beta/models/gemini-pro:generateContent", "https://generativelanguage.googleapis.com"},
		{"gemini", "https://generativelanguage.googleapis.com/v1beta/models/gemini-pro:generateContent?key=k", "https://generativelanguage.googleapis.com"},
		{"openrouter", "https://openrouter.ai/api/v1/chat/completions", "https://openrouter.ai/api/v1"},
		{"openrouter", "https://openrouter.ai", "https://openrouter.ai/api/v1"},
		{"zai", "https://api.z.ai/api/coding/paas/v4", ""},
		{"deepseek", "https://api.deepseek.com/v1", ""},
		{"deepseek", "https://api.deepseek.com/chat/completions", "https://api.deepseek.com"},
		{"perplexity", "https://api.perplexity.ai/chat/completions", "https://api.perplexity.ai"},
		{"huggingface", "https://router.huggingface.co/together/v1", ""},
		{"openai-compatible", "https://generativelanguage.googleapis.com/v1beta/openai/", ""},
		{"openai-compatible", "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions", "https://generativelanguage.googleapis.com/v1beta/openai"},
		{"lmstudio", "http://localhost:1234/api/v1/models", "http://localhost:1234"},
		{"lmstudio", "http://localhost:1234/v1", "http://localhost:1234"},
		{"vllm", "http://localhost:8000/v1/chat/completions", "http://localhost:8000"},
		{"jan", "http://localhost:1337/v1", ""},
	} {
		cfg, err := config.Parse("f", []byte("[[provider]]\nid = \"a\"\nkind = \""+tt.kind+"\"\nbase_url = \""+tt.typed+"\""), probe.Kinds(), config.Env{})
		said := ""
		if err != nil {
			said = err.Error()
		} else {
			said = strings.Join(cfg.Warnings, "\n")
		}
		if want := `write base_url = "` + tt.better + `"`; tt.better != "" && !strings.HasSuffix(said, want) || tt.better == "" && said != "" {
			t.Errorf("%s %s: said %s, want %q", tt.kind, tt.typed, said, tt.better)
		}
	}
}
