package probe

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// TestProbe_PanicInAKind: a panic in a kind becomes that probe's finding, and the Prober
// still works.
func TestProbe_PanicInAKind(t *testing.T) {
	const key = "key-of-nobody"
	broken := &kind{
		Kind: config.Kind{Name: "broken"},
		peculiar: func(*config.Provider) (asker, error) {
			return func(context.Context, *run) finding { panic("oops: " + key) }, nil
		},
	}
	p := config.Provider{ID: "x", Kind: "broken", BaseURL: "http://127.0.0.1:1", Key: config.NewSecret(key), Timeout: time.Second}
	pr, err := newProber(&p, broken, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pr.Close()
	for range 2 {
		o := pr.Probe(t.Context(), Ask{})
		if o.Saw != provider.ProbeFailed || o.Detail != "panic: oops: ***" {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
		if strings.Contains(o.Detail, key) {
			t.Error("the key is in the detail")
		}
	}
}
