package daemon

import (
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// A server that is found is named after the provider that is probed there: a 127.0.0.1 in the
// file is not ::1, but the default address is both.
func TestDiscover_NamesWhoAsksThere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		base  string
		given bool
		found string
		want  bool
	}{
		{"http://127.0.0.1:11434", true, "http://127.0.0.1:11434", true},
		{"http://127.0.0.1:11434", true, "http://[::1]:11434", false},
		{"http://127.0.0.1:11434", false, "http://[::1]:11434", true},
		{"http://[::1]:11434", true, "http://127.0.0.1:11434", false},
		{"http://[::1]:11434/v1", true, "http://[::1]:11434", true},
		{"http://localhost:11434", true, "http://[::1]:11434", true},
		{"http://localhost:11434", true, "http://127.0.0.1:11434", true},
		{"http://127.0.0.2:11434", true, "http://127.0.0.1:11434", true},
		{"http://localhost:11435", true, "http://127.0.0.1:11434", false},
		{"http://llm.example:11434", true, "http://127.0.0.1:11434", false},
	} {
		p := &config.Provider{ID: "a", Type: provider.Local, BaseURL: tt.base, BaseURLGiven: tt.given}
		if got := configuredAt([]*config.Provider{p}, tt.found) == "a"; got != tt.want {
			t.Errorf("%s, given %t, asks %s: %t, want %t", tt.base, tt.given, tt.found, got, tt.want)
		}
	}
}
