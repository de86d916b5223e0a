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
		w := newWorld(t, Options{})
		w.play("ok", func(context.Context, int) probe.Observation {
			return probe.Observation{Began: time.Now(), Saw: provider.OK, Latency: 3 * time.Millisecond}
		})
		w.play("ill", always(provider.Unauthorized))
		w.play("broken", func(context.Context, int) probe.Observation { panic("a bug") })
		w.play("paused", silence(time.Minute))
		w.play("removed", silence(time.Minute))
		w.play("hangs", silence(time.Minute))
		w.apply(settings("ok"), settings("ill"), settings("broken"), settings("paused"), settings("removed"), settings("hangs"))
		w.run()
		time.Sleep(time.Second)
		_ = w.SetPaused("paused", true)
		w.apply(settings("ok"), settings("ill"), settings("broken"), settings("paused"), settings("hangs"))
		w.Refresh([]string{"paused"}, false) // nobody to be probed
		w.Refresh([]string{"hangs"}, false)
		synctest.Wait()
		got := w.Stats()
		want := Stats{InFlight: 1, OK: 1, NotOK: 1, Failed: 1, Discarded: 2, Refreshes: 2, Idle: 1, Planned: 3}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		var c provider.Counters
		if w.Counters(&c); c.Probes != 6 || c.ProbesFailed != 1 || c.InFlight != 1 {
			t.Errorf("%+v", c)
		}
		var answered store.Durations
		answered.Add(3 * time.Millisecond)
		all := w.Latencies()
		if _, there := all["removed"]; there || all["ok"] != answered || all["ill"].Count != 0 {
			t.Errorf("latencies: %+v", all)
		}
	})
}
