package provider_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/store/provider"
)

func TestClientVariables(t *testing.T) {
	for name, tt := range map[string]struct {
		id, kind, endpoint string
		url                string
		want               []provider.Variable
	}{
		"Ollama": {"ollama:gpu", "ollama", "http://127.0.0.1:11434", "http://127.0.0.1:11434/v1", []provider.Variable{
			{"PROVIDERD_PROVIDER", "ollama:gpu"}, {"PROVIDERD_KIND", "ollama"},
			{"OPENAI_BASE_URL", "http://127.0.0.1:11434/v1"}, {"OLLAMA_HOST", "http://127.0.0.1:11434"},
		}},
		"Anthropic": {"a", "anthropic", "https://api.anthropic.com", "https://api.anthropic.com/v1", []provider.Variable{
			{"PROVIDERD_PROVIDER", "a"}, {"PROVIDERD_KIND", "anthropic"}, {"OPENAI_BASE_URL", "https://api.anthropic.com/v1"},
			{"ANTHROPIC_BASE_URL", "https://api.anthropic.com"}, {"PROVIDERD_KEY_ENV", "ANTHROPIC_API_KEY"},
		}},
		"V1IsThereAlready": {"j", "jan", "http://[::1]:1337/v1", "http://[::1]:1337/v1", []provider.Variable{
			{"PROVIDERD_PROVIDER", "j"}, {"PROVIDERD_KIND", "jan"}, {"OPENAI_BASE_URL", "http://[::1]:1337/v1"},
		}},
		"NotOpenAIs": {"t", "triton", "http://10.0.0.1:8000", "http://10.0.0.1:8000", []provider.Variable{
			{"PROVIDERD_PROVIDER", "t"}, {"PROVIDERD_KIND", "triton"},
		}},
		"OfTheFuture": {"f", "future", "http://10.0.0.1/x", "http://10.0.0.1/x", []provider.Variable{
			{"PROVIDERD_PROVIDER", "f"}, {"PROVIDERD_KIND", "future"}, {"OPENAI_BASE_URL", "http://10.0.0.1/x"},
		}},
		"NothingForAShell": {"o", "openai-compatible", "https://h/$(rm)';&*?/\x1b", "https://h/%24%28rm%29%27%3B%26%2A%3F/%1B", []provider.Variable{
			{"PROVIDERD_PROVIDER", "o"}, {"PROVIDERD_KIND", "openai-compatible"}, {"OPENAI_BASE_URL", "https://h/%24%28rm%29%27%3B%26%2A%3F/%1B"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, provider.ClientVariables(tt.id, tt.kind, tt.endpoint)); diff != "" {
				t.Error(diff)
			}
			if got := provider.ClientURL(tt.kind, tt.endpoint); got != tt.url {
				t.Errorf("url %s, want %s", got, tt.url)
			}
		})
	}
}

func TestLists(t *testing.T) {
	models := []provider.Model{{ID: "a:latest"}, {ID: "b"}}
	for _, tt := range []struct {
		kind, name string
		want       bool
	}{
		{"ollama", "a", true}, {"ollama", "a:latest", true}, {"ollama", "b", true}, {"ollama", "c", false},
		{"vllm", "a", false}, {"vllm", "b", true},
	} {
		if got := provider.Lists(tt.kind, models, tt.name); got != tt.want {
			t.Errorf("%s lists %s: %t", tt.kind, tt.name, got)
		}
	}
}
