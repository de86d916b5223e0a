package provider_test

import (
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

func TestCanBeID(t *testing.T) {
	for id, want := range map[string]bool{
		"ollama": true, "0": true, "gpu-1.home_lab": true, "ollama:2": true, strings.Repeat("a", 64): true,
		"": false, "Ollama": false, "a/b": false, "a b": false, ".": false, "..": false, "-a": false, ":2": false, "a:": false, "a:b:c": false,
		"ä": false, "a\n": false, "a\x00": false, "status": false, "refresh": false, "host": false, strings.Repeat("a", 65): false,
	} {
		if got := provider.CanBeID(id); got != want {
			t.Errorf("%q: %v, want %v", id, got, want)
		}
	}
}
