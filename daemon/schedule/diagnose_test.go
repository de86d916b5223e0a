package schedule

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// The evidence of a diagnosis comes from a probe that began after it was accepted, on a new
// connection; all requests meanwhile share it.
func TestDiagnose(t *testing.T) {
	slowly := func(context.Context, int) probe.Observation {
		time.Sleep(500 * time.Millisecond)
		return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
	}
	t.Run("AsksOnceForEverythingOnANewConnection", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newHarness(t, Options{})
			w.play("a", slowly)
			w.apply(settings("a"))
			w.run()
			time.Sleep(100 * time.Millisecond) // in the middle of the first probe
			accepted := time.Now()
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() { w.Diagnose("a", false) })
				wg.Go(func() { w.Refresh([]string{"a"}, false) })
			}
			wg.Wait()
			time.Sleep(3 * time.Second)
			asks := w.asked("a")
			if len(asks) != 2 || asks[0].Fresh || !asks[1].Fresh || !asks[1].Facts {
				t.Fatalf("asked %+v", asks)
			}
			row := w.store.View().Row("a")
			if row.Diagnostics.BeganAt.Before(accepted) || row.Status.Generation != 200 {
				t.Errorf("generation %d, evidence from %s, accepted at %s", row.Status.Generation, row.Diagnostics.BeganAt, accepted)
			}
			time.Sleep(10 * time.Second)
			if asks := w.asked("a"); len(asks) != 3 || asks[2].Fresh {
				t.Errorf("the next by cadence keeps the connection: %+v", asks)
			}
		})
	})
	t.Run("AtMostOneASecond", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newHarness(t, Options{})
			w.apply(settings("a"))
			w.run()
			for range 100 {
				time.Sleep(100 * time.Millisecond)
				w.Diagnose("a", false)
			}
			began := w.probes("a")
			for i := range began[1:] {
				if gap := began[i+1].Sub(began[i]); gap < time.Second {
					t.Errorf("%s between two probes", gap)
				}
			}
			if len(began) < 9 {
				t.Errorf("%d probes in ten seconds", len(began))
			}
		})
	})
	t.Run("RefusedWhereARefreshIs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := limited(t)
			a := w.Diagnose("a", false)
			if len(a.IDs) != 0 || len(a.Skipped) != 1 || !strings.HasSuffix(a.Skipped[0].Message, "providerctl diagnose a --force") {
				t.Errorf("%+v", a)
			}
			if a = w.Diagnose("a", true); len(a.IDs) != 1 {
				t.Errorf("forced: %+v", a)
			}
			time.Sleep(2 * time.Second)
			if asks := w.asked("a"); len(asks) != 2 || !asks[1].Fresh {
				t.Errorf("asked %+v", asks)
			}
			if err := w.SetPaused("a", true); err != nil {
				t.Fatal(err)
			}
			if a = w.Diagnose("a", true); len(a.Skipped) != 1 || a.Skipped[0].Reason != provider.Paused {
				t.Errorf("paused: %+v", a)
			}
		})
	})
}

// A diagnosis that a reload has aborted is repeated as it was asked for.
func TestSchedule_ADiagnosisThatIsCutShortStaysOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", func(ctx context.Context, n int) probe.Observation {
			if n == 2 {
				return silence(time.Second)(ctx, n)
			}
			return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
		})
		w.apply(settings("a"))
		w.run()
		time.Sleep(3 * time.Second)
		w.Diagnose("a", false)
		synctest.Wait()
		p := settings("a")
		p.Timeout += time.Second
		w.apply(p)
		time.Sleep(2 * time.Second)
		if asks := w.asked("a"); len(asks) != 3 || !asks[1].Fresh || !asks[2].Fresh {
			t.Errorf("%+v", asks)
		}
	})
}
