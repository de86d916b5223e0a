package probe_test

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/daemon/probe/atrest"
	"github.com/providerd/providerd/store/provider"
)

// healthyScenario is the scenario of a healthy kind; nil for kinds that cannot have
// scenarios.
func healthyScenario(t testing.TB, k config.Kind) *scenario {
	t.Helper()
	all, err := loadScenarios()
	if err != nil {
		t.Fatal(err)
	}
	return among(all, k.Name, "healthy")
}

// healthy makes Probers that have seen their provider healthy, and a function that ends its
// server.
func healthy(t testing.TB, k config.Kind, n int) (made []*probe.Prober, end func()) {
	t.Helper()
	s := healthyScenario(t, k)
	if s == nil {
		t.Skip("no scenario shows it healthy")
	}
	theatre, err := open(s)
	if err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(theatre.close)
	t.Cleanup(end)
	p := &play{scenario: s, kind: k}
	p.configure(theatre)
	common := new(probe.Common)
	for range n {
		pr := newProber(t, p.provider, probe.Options{UserAgent: "providerd/test", Common: common})
		for range 2 { // what there is to learn about the server, it knows then
			if o := pr.Probe(t.Context(), probe.Ask{Facts: true}); o.Saw != provider.OK {
				t.Fatalf("saw %s %q", o.Saw, o.Detail)
			}
		}
		made = append(made, pr)
	}
	return made, end
}

// TestProber_AtRest_EveryKind bounds what a Prober of any kind keeps between probes besides
// its connection: bytes on the heap, and no goroutine.
func TestProber_AtRest_EveryKind(t *testing.T) {
	const probers, most, patience = 50, 6 << 10, 5
	quiet := runtime.NumGoroutine() + 1 // a subtest's own
	closed := func(t *testing.T, k config.Kind, n int) []*probe.Prober {
		made, end := healthy(t, k, n)
		for _, pr := range made {
			pr.Close()
		}
		end()
		settle(t, quiet)
		return made
	}
	for _, k := range probe.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			closed(t, k, 1) // what is made once for all
			before := atrest.InUse()
			made := closed(t, k, probers)
			each := (atrest.InUse() - before) / probers
			for range patience { // the garbage of other tests may go down late
				each = min(each, (atrest.InUse()-before)/probers)
			}
			if t.Logf("%d bytes", each); each > most {
				t.Errorf("a Prober keeps %d bytes, want at most %d", each, most)
			}
			runtime.KeepAlive(made)
		})
	}
}

// settle returns when no more goroutines run than at rest. A closed server has some that
// are about to end, each with a buffer.
func settle(t *testing.T, quiet int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > quiet; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d when all was quiet", runtime.NumGoroutine(), quiet)
		}
	}
}

// theatreOf is the variable that makes this test binary only the server of a kind's healthy
// scenario.
const theatreOf = "PROBE_TEST_THEATRE_OF"

// serveAsTheatre serves a kind's healthy scenario until stdin ends.
func serveAsTheatre(kind string) error {
	all, err := loadScenarios()
	if err != nil {
		return err
	}
	s := among(all, kind, "healthy")
	if s == nil {
		return fmt.Errorf("no healthy scenario of %q", kind)
	}
	t, err := open(s)
	if err != nil {
		return err
	}
	defer t.close()
	fmt.Println(t.address)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
