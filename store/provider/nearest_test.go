package provider_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/store/provider"
)

func TestNearest(t *testing.T) {
	commands := []string{"status", "pick", "refresh", "wait", "is-running", "models", "events", "history",
		"diagnose", "discover", "pause", "resume", "report", "info", "reload", "log-level", "logs", "backup", "health"}
	for typed, want := range map[string][]string{
		"stauts": {"status"}, "sttus": {"status"}, "statuss": {"status"}, "statis": {"status"}, // a swap, a loss, a gain, a slip
		"refrsh": {"refresh"}, "evens": {"events"}, "rsume": {"resume"}, "halth": {"health"},
		"Status": {"status"}, "PICK": {"pick"}, "log_level": {"log-level"}, "is running": {"is-running"}, // the same word
		"event": {"events"}, "model": {"models"}, "waits": {"wait"}, "isrunning": {"is-running"},
		"log":     {"logs", "log-level"}, // the nearer one first, and the longer one too
		"re":      {"refresh", "resume", "report"},
		"diag":    {"diagnose"},
		"running": {"is-running"},
		"level":   {"log-level"},
		"xyzzy":   nil, "x": nil, "": nil, "foo": nil, "ls": nil, "start": nil, "restart": nil, "frobnicate": nil, "üñî": nil,
		strings.Repeat("status", 100): nil,
	} {
		if diff := cmp.Diff(want, provider.Nearest(typed, commands)); diff != "" {
			t.Errorf("%.20q (-want +got):\n%s", typed, diff)
		}
	}
	ids := []string{"a", "b", "gpu-1", "gpu-2", "gpu-3", "gpu-4", "ollama", "Ollama", "ollama:gpu", "ollama"}
	for typed, want := range map[string][]string{
		"x":      nil, // every word of one letter is one error away
		"gpu-9":  {"gpu-1", "gpu-2", "gpu-3"},
		"OLLAMA": {"ollama", "Ollama"}, // each once
		"olama":  {"ollama", "Ollama"},
	} {
		if diff := cmp.Diff(want, provider.Nearest(typed, ids)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", typed, diff)
		}
	}
	if got := provider.Nearest("a", nil); got != nil {
		t.Errorf("of none: %q", got)
	}
}

func TestDidYouMean(t *testing.T) {
	known := []string{"logs", "log-level"}
	for typed, want := range map[string]string{
		"log":  "did you mean: providerctl logs, providerctl log-level",
		"lgos": "did you mean: providerctl logs",
		"nope": "see: providerctl --help",
	} {
		if got := provider.DidYouMean(typed, known, "providerctl ", "see: providerctl --help"); got != want {
			t.Errorf("%s: %q, want %q", typed, got, want)
		}
	}
}

// An unknown id is compared with all that are configured, by anybody who asks.
func BenchmarkNearest(b *testing.B) {
	ids := make([]string, 10_000)
	for i := range ids {
		ids[i] = "provider-" + string(rune('a'+i%26)) + strings.Repeat("x", i%5)
	}
	for b.Loop() {
		if got := provider.Nearest("provider-9", ids); !slices.Contains(got, "provider-a") {
			b.Fatal(got)
		}
	}
}
