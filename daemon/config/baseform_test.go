package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// TestParse_BaseURLForms has what people type for a base_url, and what they are told to type
// instead. A readable address is used as it is, with a warning; an unreadable one is an error.
func TestParse_BaseURLForms(t *testing.T) {
	const used, refused = "used", "refused"
	for _, tt := range []struct{ kind, typed, how, better string }{
		{"openai-compatible", "http://gpu:8000/v1", used, ""},
		{"openai-compatible", " HTTP://GPU:8000/v1// ", used, ""},
		{"openai-compatible", "\u200bhttp://gpu:8000/v1", used, ""},
		{"openai-compatible", "http://gpu:8000", used, ""},
		{"openai-compatible", "https://gw.example/openai/v1", used, ""},
		{"openai-compatible", "http://gpu:8000/v1/chat/completions", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000/v1/chat/completions/", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000/chat/completions", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000/v1/completions", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000/v1/embeddings", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000/v1/models", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000/v1/models/qwen3", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000/v1/responses", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000/v1/v1", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000/v1/v1/chat/completions", used, "http://gpu:8000/v1"},
		{"openai", "https://api.openai.com", used, "https://api.openai.com/v1"},
		{"openai", "https://api.openai.com/v1/", used, ""},
		{"openai", "https://api.openai.com/v1/chat/completions", used, "https://api.openai.com/v1"},
		{"openai", "https://api.openai.com./v1", used, "https://api.openai.com/v1"},
		{"groq", "https://api.groq.com/v1", used, "https://api.groq.com/openai/v1"},
		{"groq", "https://api.groq.com", used, "https://api.groq.com/openai/v1"},
		{"groq", "https://gateway.example/groq/v1", used, ""},
		{"anthropic", "https://api.anthropic.com/v1", used, ""},
		{"anthropic", "https://api.anthropic.com/v1/messages", used, "https://api.anthropic.com"},
		{"anthropic", "https://gw.example/anthropic", used, ""},
		{"ollama", "http://gpu:11434/api/chat", used, "http://gpu:11434"},
		{"ollama", "http://gpu:11434/api/generate", used, "http://gpu:11434"},
		{"ollama", "http://gpu:11434/v1/chat/completions", used, "http://gpu:11434"},
		{"ollama", "http://gpu:11434/v1", used, "http://gpu:11434"},
		{"ollama", "http://proxy/ollama", used, ""},
		{"http", "http://gpu:8000/v1/chat/completions", used, ""},
		{"ollama", "http://localhost.:11434", used, "http://localhost:11434"},
		{"ollama", "http://gpu.:11434", used, ""}, // without the dot it may be another one

		{"openai", "api.openai.com/v1", refused, "https://api.openai.com/v1"},
		{"openai", "//api.openai.com/v1", refused, "https://api.openai.com/v1"},
		{"openai", "https//api.openai.com/v1", refused, "https://api.openai.com/v1"},
		{"openai", "https:api.openai.com/v1", refused, "https://api.openai.com/v1"},
		{"openai", "https:/api.openai.com/v1", refused, "https://api.openai.com/v1"},
		{"openai", "https://https://api.openai.com/v1", refused, "https://api.openai.com/v1"},
		{"openai", `"https://api.openai.com/v1"`, refused, "https://api.openai.com/v1"},
		{"openai", "'https://api.openai.com/v1'", refused, "https://api.openai.com/v1"},
		{"openai", "OPENAI_BASE_URL=https://api.openai.com/v1", refused, "https://api.openai.com/v1"},
		{"openai", "<https://api.openai.com/v1>", refused, "https://api.openai.com/v1"},
		{"openai", "https://api.openai.com/v1/chat/completions?stream=true", refused, "https://api.openai.com/v1"},
		{"openai", "https://api.openai.com/v1#key", refused, "https://api.openai.com/v1"},
		{"openai", "https://api.openai.com/v1?key=sk-leak-0123456789", refused, "https://api.openai.com/v1"},
		{"openai", "https:\\\\api.openai.com\\v1", refused, "https://api.openai.com/v1"},
		{"openai", "wss://api.openai.com/v1", refused, "https://api.openai.com/v1"},
		{"ollama", "localhost:11434", refused, "http://localhost:11434"},
		{"ollama", "localhost", refused, "http://localhost"},
		{"ollama", "127.0.0.1:11434/api/chat", refused, "http://127.0.0.1:11434"},
		{"ollama", "http://127.0.0.1：11434", refused, "http://127.0.0.1:11434"},
		{"ollama", "http：//127.0.0.1:11434", refused, "http://127.0.0.1:11434"},
		{"ollama", "http://１２７.0.0.1:11434", refused, "http://127.0.0.1:11434"},
		{"ollama", "http://127。0。0。1:11434", refused, "http://127.0.0.1:11434"},
		{"ollama", "http://local\u200bhost:11434", refused, "http://localhost:11434"},
		{"ollama", "http://gpu box:11434", refused, ""},

		{"openai-compatible", "http://gpu:8000/V1/Chat/Completions", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000/v1/chat", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000/chat", used, ""},
		{"openai-compatible", "http://gpu:8000/v1/chat/completions/v1", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000//v1", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000/v1,", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000/v1.", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://gpu:8000/v1%20", used, "http://gpu:8000/v1"},
		{"openai-compatible", "http://$HOST:8000/v1", used, "http://127.0.0.1:8000/v1"},
		{"openai-compatible", "http://<host>/v1", used, "http://127.0.0.1:8000/v1"},
		{"openai-compatible", "http://*:8000/v1", used, "http://127.0.0.1:8000/v1"},
		{"openai-compatible", "http://bücher.example/v1", used, ""},
		{"openai-compatible", "http://gpu_box:8000/v1", used, ""},
		{"openai", "http://api.openai.com/v1", used, "https://api.openai.com/v1"},
		{"openai", "http://gw.example/v1", used, ""},
		{"ollama", "http://127.0.0.1:11434/api", used, "http://127.0.0.1:11434"},
		{"anthropic", "https://api.anthropic.com/v1/models/sk-leak-0123456789", used, "https://api.anthropic.com"},
		{"groq", "https://api.groq.com/openai/v1/openai/v1", used, "https://api.groq.com/openai/v1"},
		{"ollama", "http://gpu:11434//v1", used, "http://gpu:11434"},
		{"ollama", "http://gpu:11434/v1/chat/completions/v1", used, "http://gpu:11434"},
		{"ollama", "unix:///run/o.sock", used, ""},
		{"ollama", "unix:///run/o.sock/v1", used, "unix:///run/o.sock"},
		{"ollama", "unix:///run/o.sock:/api/tags", used, "unix:///run/o.sock"},
		{"ollama", "unix:/run/o.sock", refused, "unix:///run/o.sock"},
		{"ollama", "unix://run/o.sock", refused, "unix:///run/o.sock"},
		{"ollama", "http+unix://%2Frun%2Fo.sock/v1", refused, "unix:///run/o.sock"},
		{"ollama", "http://unix:/run/o.sock", refused, "unix:///run/o.sock"},
		{"ollama", "/run/o.sock", refused, "unix:///run/o.sock"},
		{"ollama", ":8000", refused, "http://127.0.0.1:8000"},
		{"ollama", "8000", refused, "http://127.0.0.1:8000"},
		{"ollama", "::1", refused, "http://[::1]"},
		{"ollama", "::1:8000", refused, "http://[::1]:8000"},
		{"ollama", "http://::1:8000/v1", refused, "http://[::1]:8000"},
		{"ollama", "http://fd00::7:8000", refused, "http://[fd00::7]:8000"},
		{"ollama", "http://fd00::7", refused, "http://[fd00::7]"},
		{"ollama", "/v1", refused, "http://127.0.0.1:11434"},
		{"ollama", "None", refused, "http://127.0.0.1:11434"},
		{"ollama", "htp://gpu:8000", refused, "http://gpu:8000"},
		{"ollama", "http:// gpu:8000", refused, "http://gpu:8000"},
		{"ollama", "http:///gpu:8000/v1", refused, "http://gpu:8000"},
		{"ollama", "hhttps://gpu.example", refused, "https://gpu.example"},
		{"tcp", ":5432", refused, "tcp://127.0.0.1:5432"},
		{"openai", "8000", refused, "https://api.openai.com/v1"},
		{"openai", "sk-leak-0123456789", refused, ""},
	} {
		t.Run(tt.kind+" "+tt.typed, func(t *testing.T) {
			data := fmt.Sprintf("[[provider]]\nid = \"a\"\nkind = %q\nbase_url = '''%s'''", tt.kind, tt.typed)
			cfg, err := config.Parse("p.toml", []byte(data), kinds(), env(nil, nil))
			var said string
			switch {
			case err != nil:
				said = err.Error()
			case len(cfg.Warnings) > 0:
				said = strings.Join(cfg.Warnings, "\n")
			}
			if (err != nil) != (tt.how == refused) || strings.Contains(said, "leak") {
				t.Fatalf("got %v %s", err, said)
			}
			if want := `write base_url = "` + tt.better + `"`; tt.better != "" && !strings.HasSuffix(said, want) {
				t.Errorf("said %s\nwant %s", said, want)
			}
			if strings.Contains(said, "vendor's :") {
				t.Errorf("said of nothing: %s", said)
			}
			if tt.how == used && (said == "") != (tt.better == "") {
				t.Errorf("said %s", said)
			}
			dot := strings.Contains(said, "which is dropped")
			if tt.how == used && tt.better != "" && (cfg.Providers[0].BaseURL == tt.better) != dot {
				t.Errorf("%s is put in the place of what was typed", tt.better)
			}
		})
	}
}

// For a variable the warning names the variable, and so does the row.
func TestLoad_BaseURLFormsInAVariable(t *testing.T) {
	for value, want := range map[string]struct {
		reason provider.Reason
		says   string
	}{
		"https://gw.example/v1/messages": {provider.WrongService, "environment variable ANTHROPIC_BASE_URL: the address ends with /messages, which requests add themselves: set it to https://gw.example, then restart providerd"},
		`"https://gw.example"`:           {provider.Misconfigured, "environment variable ANTHROPIC_BASE_URL: the address is in quotes: set ANTHROPIC_BASE_URL to https://gw.example, then restart providerd"},
		"gw.example":                     {provider.Misconfigured, "set ANTHROPIC_BASE_URL to https://gw.example, then restart providerd"},
		"https://gw.example?x=1":         {provider.Misconfigured, "set ANTHROPIC_BASE_URL to https://gw.example, then restart providerd"},
	} {
		cfg, err := config.Load("", false, kinds(), diskEnv(t.TempDir(), map[string]string{"ANTHROPIC_BASE_URL": value}))
		if err != nil {
			t.Fatal(err)
		}
		p := cfg.Providers[4]
		if hint := p.Hints[want.reason]; p.ID != "anthropic" || !strings.HasSuffix(hint, want.says) || len(cfg.Warnings) != 1 || !strings.Contains(hint, cfg.Warnings[0]) {
			t.Errorf("%s: %s: hint %q, warnings %q", value, p.ID, hint, cfg.Warnings)
		}
	}
}
