package schedule

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// sum adds up the hours of a provider.
func sum(t *testing.T, s *store.Store, id string) (all rollup.Bucket) {
	t.Helper()
	hours, err := s.Hours(id, time.Time{}, time.Now().AddDate(50, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	for i := range hours {
		all.Merge(&hours[i])
	}
	return all
}

// The store hears of each probe, and of the time in which providers are watched: not of a
// sleep, and not of what the clock was set by. Pausing makes time unknown.
func TestWatched_TimeAndProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slept, set atomic.Int64
		w := newHarness(t, Options{
			Wall:   func() time.Time { return time.Now().Add(time.Duration(slept.Load() + set.Load())) },
			Asleep: func() time.Duration { return time.Duration(slept.Load()) },
		})
		answer := func(context.Context, int) probe.Observation {
			return probe.Observation{Saw: provider.OK, Latency: 40 * time.Millisecond}
		}
		w.play("a", answer)
		w.play("b", answer)
		w.apply(settings("a"), settings("b"))
		w.run()
		time.Sleep(20 * time.Minute)
		slept.Add(int64(8 * time.Hour))
		time.Sleep(20 * time.Minute)
		set.Add(int64(-3 * time.Hour))
		if err := w.SetPaused("b", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		synctest.Wait() // for a probe that is due now
		a, b := sum(t, w.store, "a"), sum(t, w.store, "b")
		// A sleep takes the time since the check before it, at most 10 s.
		for _, is := range []struct {
			what      string
			got, want time.Duration
		}{
			{"a", a.Known(), time.Hour}, {"a RUNNING", a.In(provider.StateRunning), time.Hour}, {"b", b.Known(), 40 * time.Minute},
		} {
			if is.got > is.want || is.got < is.want-11*time.Second {
				t.Errorf("%s: %s, want %s", is.what, is.got, is.want)
			}
		}
		if n := len(w.probes("a")); a.Probes != uint64(n) || a.OK != a.Probes {
			t.Errorf("%d probes, %d ok, want %d", a.Probes, a.OK, n)
		}
		if p50 := a.Quantile(0.5); p50 < 38*time.Millisecond || p50 > 42*time.Millisecond {
			t.Errorf("the median is %s", p50)
		}
	})
}

// An orderly stop saves the last second and the last probe.
func TestWatched_UntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", always(provider.OK))
		w.apply(settings("a"))
		w.run()
		time.Sleep(7*time.Minute + 3*time.Second)
		synctest.Wait() // for a probe that is due now
		w.stop()
		probes := len(w.probes("a"))
		s, err := store.Open(w.path, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		a := sum(t, s, "a")
		if a.Known() < 7*time.Minute+2*time.Second || a.Known() > 7*time.Minute+3*time.Second || a.Probes != uint64(probes) {
			t.Errorf("known for %s, %d probes, want %d", a.Known(), a.Probes, probes)
		}
	})
}

// A bare connect is no probe.
func TestWatched_ABareConnectIsNoProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", always(provider.ConnectionRefused))
		w.apply(settings("a"))
		w.run()
		time.Sleep(5 * time.Minute)
		synctest.Wait() // for a probe that is due now
		a := sum(t, w.store, "a")
		if stats := w.Stats(); a.Probes != stats.OK+stats.NotOK || a.OK != 0 {
			t.Errorf("%d probes, %d ok, want %d", a.Probes, a.OK, stats.NotOK)
		}
	})
}
