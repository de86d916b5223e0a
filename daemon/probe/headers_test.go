package probe_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/probe"
)

// The headers in the evidence are those of the probe's own answer, whatever the server
// sends before or after it.
func TestProbe_EvidenceHasTheHeadersOfItsAnswer(t *testing.T) {
	answers := []map[string]string{
		{"Server": "a"}, {"Server": "a"}, {"Server": "b"}, {"Server": "b", "Via": "c"}, {"Server": "b"}, {"Via": "b"}, {},
		{"Server": "a", "Retry-After": "1"}, {"Server": "a", "X-Not-Told": "1"},
	}
	n := 0
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil // or else there is always one
		for name, value := range answers[n] {
			w.Header().Set(name, value)
		}
		_, _ = io.WriteString(w, body)
	})
	pr := newProber(t, configured(t, "ollama", s.url, ""), probe.Options{})
	var seen []probe.Observation
	for n = range answers {
		seen = append(seen, pr.Probe(t.Context(), probe.Ask{}))
	}
	wants := []map[string]string{
		{"server": "a"}, {"server": "a"}, {"server": "b"}, {"server": "b", "via": "c"}, {"server": "b"}, {"via": "b"}, nil,
		{"server": "a", "retry-after": "1"}, {"server": "a"},
	}
	for i, want := range wants {
		if diff := cmp.Diff(want, seen[i].Evidence.Requests[0].Headers); diff != "" {
			t.Errorf("answer %d: %s", i, diff)
		}
	}
}
