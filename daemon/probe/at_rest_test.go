package probe_test

import (
	"runtime"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/daemon/probe/atrest"
	"github.com/providerd/providerd/store/provider"
)

// TestProber_AtRest bounds what a Prober keeps between probes, with and without its kept
// connection: bytes on the heap, and no goroutine.
func TestProber_AtRest(t *testing.T) {
	const long = "sk-ant-of-nobody-0123456789aBcDeF0123456789aBcDeF0123456789aBcDeF0123456789aBcDeF0123456789aBcDeF"
	t.Run("without a key", func(t *testing.T) { atRest(t, "", 1<<10, 5<<9) })
	t.Run("with a key", func(t *testing.T) { atRest(t, long, 3<<10, 9<<9) })
}

// atRest bounds them in bytes: idle, and holding both ends of its connection.
func atRest(t *testing.T, key string, idle, holding int64) {
	const (
		probers  = 200
		patience = 5 // garbage of other tests may be collected late
	)
	p := configured(t, "ollama", "http://"+atrest.Serve(t, probers, 1, 1, map[string]string{"/api/version": `{"version":"1"}`}), key)
	made := make([]*probe.Prober, probers)
	defer func() {
		for _, pr := range made {
			pr.Close()
		}
	}()
	atMost := func(what string, before, most int64) {
		t.Helper()
		each := (atrest.InUse() - before) / probers
		for range patience {
			each = min(each, (atrest.InUse()-before)/probers)
		}
		if t.Logf("%s: %d bytes", what, each); each > most {
			t.Errorf("%s: a Prober keeps %d bytes, want at most %d", what, each, most)
		}
	}
	common := new(probe.Common)
	before, goroutines := atrest.InUse(), runtime.NumGoroutine()
	for i := range made {
		pr, err := probe.New(&p, probe.Options{UserAgent: "providerd/test", Common: common})
		if err != nil {
			t.Fatal(err)
		}
		made[i] = pr
	}
	atMost("before its first probe", before, idle)
	for _, pr := range made {
		if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.OK {
			t.Fatalf("saw %s %q", o.Saw, o.Detail)
		}
	}
	atMost("with its connection", before, holding)
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before the first probe", n, goroutines)
	}
	for _, pr := range made {
		if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.OK || !o.Evidence.Requests[0].Reused {
			t.Fatalf("saw %s %q: %+v", o.Saw, o.Detail, o.Evidence.Requests)
		}
	}
}
