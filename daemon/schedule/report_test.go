package schedule

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// tell reports what a caller met at a provider.
func (w *harness) tell(id string, r provider.Report) {
	w.t.Helper()
	if err := w.Report(id, r, "uid 1000"); err != nil {
		w.t.Error(err)
	}
	synctest.Wait()
}

func (w *harness) shows(id string, state provider.State, reason provider.Reason, source provider.Source) {
	w.t.Helper()
	if st := w.row(id); st.State != state || st.Reason != reason || st.Source != source {
		w.t.Errorf("%s %s (%s) by %s, want %s %s by %s", st.State, st.Reason, st.Detail, st.Source, state, reason, source)
	}
}

var (
	rejected = provider.Report{Status: 401}
	limit60  = provider.Report{Status: 429, RetryAfter: "60"}
)

// No report is lost: a probe that began before it does not overrule it, and the one that it triggers
// does.
func TestPromise_NoLostReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", func(_ context.Context, n int) probe.Observation {
			if n == 2 {
				time.Sleep(500 * time.Millisecond)
			}
			return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
		})
		w.apply(settings("a"))
		w.run()
		time.Sleep(3 * time.Second)
		refresh := w.Refresh(nil, false)
		synctest.Wait() // the second is under way
		w.tell("a", rejected)
		w.shows("a", provider.StateError, provider.Unauthorized, provider.FromReport)
		time.Sleep(600 * time.Millisecond)
		if st := w.row("a"); len(w.probes("a")) != 2 || st.Generation != refresh.Generation {
			t.Fatalf("%d probes, generation %d: the second has not landed", len(w.probes("a")), st.Generation)
		}
		w.shows("a", provider.StateError, provider.Unauthorized, provider.FromReport)
		time.Sleep(500 * time.Millisecond)
		if n := len(w.probes("a")); n != 3 {
			t.Errorf("%d probes: the report triggered none", n)
		}
		w.shows("a", provider.StateRunning, provider.OK, provider.FromProbe)
	})
}

// The answer of an overtaken probe is not shown, whatever follows.
func TestSchedule_AnOvertakenProbeDecidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", func(_ context.Context, n int) probe.Observation {
			time.Sleep(time.Second)
			return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
		})
		w.apply(settings("a"))
		w.run()
		time.Sleep(500 * time.Millisecond)
		w.tell("a", limit60)
		time.Sleep(30 * time.Second)
		w.shows("a", provider.StateDegraded, provider.RateLimited, provider.FromReport)
		if n := len(w.probes("a")); n != 1 {
			t.Errorf("%d probes before retry_at", n)
		}
		time.Sleep(33 * time.Second)
		w.shows("a", provider.StateRunning, provider.OK, provider.FromProbe)
	})
}

// Callers who report a hanging server faster than its probes end do not make those useless.
func TestSchedule_ManyReportsDoNotSilenceProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", func(ctx context.Context, n int) probe.Observation {
			if n == 1 {
				return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
			}
			return silence(1500*time.Millisecond)(ctx, n)
		})
		w.apply(settings("a"))
		w.run()
		time.Sleep(3 * time.Second)
		for range 40 {
			w.tell("a", provider.Report{Error: "timeout"})
			time.Sleep(100 * time.Millisecond)
		}
		if st := w.row("a"); st.State != provider.StateDegraded || st.Reason != provider.Hung {
			t.Errorf("%s %s %q", st.State, st.Reason, st.Detail)
		}
	})
}

func TestSchedule_ReportTriggersAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.apply(cloud("a"))
		w.run()
		time.Sleep(10 * time.Second)
		w.tell("a", provider.Report{Error: "timeout"})
		if n := len(w.probes("a")); n != 2 {
			t.Errorf("%d probes", n)
		}
		w.shows("a", provider.StateRunning, provider.OK, provider.FromProbe)
		var unknown *provider.Error
		if err := w.Report("nobody", rejected, "me"); !errors.As(err, &unknown) || unknown.Code != provider.UnknownProvider {
			t.Errorf("%v", err)
		}
		if err := w.Report("a", provider.Report{Status: 200}, "me"); !errors.As(err, &unknown) || unknown.Code != provider.BadRequest {
			t.Errorf("%v", err)
		}
	})
}

func TestSchedule_ReportedRetryAt(t *testing.T) {
	reported := func(t *testing.T) *harness {
		w := newHarness(t, Options{})
		w.apply(cloud("a"))
		w.run()
		time.Sleep(10 * time.Second)
		w.tell("a", limit60)
		return w
	}
	t.Run("IsWaitedFor", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := reported(t)
			st := w.row("a")
			if got := st.NextCheckAt.Sub(st.RetryAt.Time); got < 0 || got > minGap || w.store.View().Row("a").Stale(time.Now().Add(time.Minute)) {
				t.Errorf("next check %s after retry_at, ttl %d ms", got, st.TTLMS)
			}
			if a := w.Refresh(nil, false); len(a.Skipped) != 1 || a.Skipped[0].Reason != provider.RateLimited {
				t.Errorf("%+v", a)
			}
			w.Ensure(nil, 0)
			time.Sleep(59 * time.Second)
			if n := len(w.probes("a")); n != 1 {
				t.Errorf("%d probes before retry_at", n)
			}
			time.Sleep(3 * time.Second)
			w.shows("a", provider.StateRunning, provider.OK, provider.FromProbe)
		})
	})
	t.Run("OutlivesAForcedProbe", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := reported(t)
			w.Refresh(nil, true)
			time.Sleep(2 * time.Second)
			if n := len(w.probes("a")); n != 2 {
				t.Errorf("%d probes", n)
			}
			w.shows("a", provider.StateDegraded, provider.RateLimited, provider.FromReport)
			time.Sleep(61 * time.Second)
			w.shows("a", provider.StateRunning, provider.OK, provider.FromProbe)
		})
	})
	t.Run("HoldsWhenAForcedProbeSawWorse", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := reported(t)
			w.play("a", always(provider.Unauthorized))
			w.Refresh(nil, true)
			time.Sleep(2 * time.Second)
			w.shows("a", provider.StateError, provider.Unauthorized, provider.FromProbe)
			if a := w.Refresh(nil, false); len(a.Skipped) != 1 {
				t.Errorf("%+v", a)
			}
		})
	})
	t.Run("StopsAProbeThatIsAskedFor", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newHarness(t, Options{})
			w.apply(cloud("a"))
			w.run()
			synctest.Wait()
			w.Refresh(nil, false) // waits for its turn
			w.tell("a", limit60)
			time.Sleep(30 * time.Second)
			if n := len(w.probes("a")); n != 1 {
				t.Errorf("%d probes before retry_at", n)
			}
			w.Refresh(nil, true)
			synctest.Wait()
			w.Refresh(nil, true)  // this one too
			w.tell("a", limit60)  // and is not lost
			time.Sleep(time.Hour) // nor is the cadence
			if n := len(w.probes("a")); n < 4 {
				t.Errorf("%d probes", n)
			}
			if gap := w.probes("a")[2].Sub(w.probes("a")[1]); gap > minGap {
				t.Errorf("the forced one came after %s", gap)
			}
		})
	})
	t.Run("NotForAnotherKey", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := reported(t)
			p := cloud("a")
			p.Key = config.NewSecret("another")
			w.apply(p)
			time.Sleep(2 * time.Second)
			w.shows("a", provider.StateRunning, provider.OK, provider.FromProbe)
		})
	})
	t.Run("AcrossPauseAndResume", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newHarness(t, Options{})
			w.apply(cloud("a"))
			w.run()
			synctest.Wait()
			_ = w.SetPaused("a", true)
			w.tell("a", limit60)
			_ = w.SetPaused("a", false)
			time.Sleep(30 * time.Second)
			w.shows("a", provider.StateDegraded, provider.RateLimited, provider.FromReport)
			if n := len(w.probes("a")); n != 1 {
				t.Errorf("%d probes before retry_at", n)
			}
		})
	})
	t.Run("AcrossARestart", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := reported(t)
			st := w.row("a")
			w.stop()
			again := newHarness(t, Options{})
			again.store.Configure([]string{"a"}, map[string]store.Update{"a": {Status: st}})
			again.restart()
			again.apply(cloud("a"))
			again.run()
			again.Refresh(nil, true)
			time.Sleep(5 * time.Second)
			again.shows("a", provider.StateDegraded, provider.RateLimited, provider.FromReport)
			time.Sleep(time.Minute)
			again.shows("a", provider.StateRunning, provider.OK, provider.FromProbe)
		})
	})
	t.Run("DuringTheFirstSweep", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newHarness(t, Options{})
			w.apply(settings("b"), cloud("a"))
			w.tell("a", limit60)
			w.run()
			<-w.Swept()
			if n := len(w.probes("a")); n != 0 {
				t.Errorf("%d probes before retry_at", n)
			}
		})
	})
}
