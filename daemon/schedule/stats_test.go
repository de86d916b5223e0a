package schedule

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// Every probe that began is in flight or has one outcome.
func TestSchedule_StatsCountEveryProbeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("ok", func(context.Context, int) probe.Observation {
			return probe.Observation{Began: time.Now(), Saw: provider.OK, Latency: 3 * time.Millisecond}
		})
		w.play("scoped", always(provider.ScopeLimited))
		w.play("ill", always(provider.Unauthorized))
		w.play("broken", func(context.Context, int) probe.Observation { panic("a bug") })
		w.play("paused", silence(time.Minute))
		w.play("removed", silence(time.Minute))
		w.play("hangs", silence(time.Minute))
		w.apply(settings("ok"), settings("scoped"), settings("ill"), settings("broken"), settings("paused"), settings("removed"), settings("hangs"))
		w.run()
		time.Sleep(time.Second)
		_ = w.SetPaused("paused", true)
		w.apply(settings("ok"), settings("scoped"), settings("ill"), settings("broken"), settings("paused"), settings("hangs"))
		w.Refresh([]string{"paused"}, false) // nobody to be probed
		w.Refresh([]string{"hangs"}, false)
		w.Ensure([]string{"hangs"}, 0) // shares the refresh's
		synctest.Wait()
		got := w.Stats()
		want := Stats{InFlight: 1, Counts: Counts{OK: 2, NotOK: 1, Failed: 1, Discarded: 2, Refreshes: 2, Idle: 1, Coalesced: 1}, Planned: 4}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		var c provider.Counters
		if w.Counters(&c); c.Probes != 7 || c.ProbesFailed != 1 || c.InFlight != 1 {
			t.Errorf("%+v", c)
		}
		var answered store.Durations
		answered.Add(3 * time.Millisecond)
		each := map[string]ProviderStats{
			"ok":     {Counts: Counts{OK: 1}, Latencies: answered},
			"scoped": {Counts: Counts{OK: 1}},
			"ill":    {Counts: Counts{NotOK: 1}},
			"broken": {Counts: Counts{Failed: 1}},
			"paused": {Counts: Counts{Discarded: 1, Refreshes: 1, Idle: 1}},
			"hangs":  {Counts: Counts{Refreshes: 1, Coalesced: 1}},
		}
		if diff := cmp.Diff(each, w.ByProvider()); diff != "" {
			t.Error(diff)
		}
	})
}
