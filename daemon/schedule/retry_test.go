package schedule

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

func TestSchedule_RateLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", func(_ context.Context, n int) probe.Observation {
			return probe.Observation{Saw: provider.RateLimited, RetryAt: time.Now().Add(10 * time.Minute)}
		})
		w.apply(cloud("a"))
		w.run()
		time.Sleep(9 * time.Minute)
		if n := len(w.probes("a")); n != 1 {
			t.Fatalf("%d probes before retry_at", n)
		}
		if st := w.row("a"); w.store.View().Row("a").Stale(time.Now()) {
			t.Errorf("stale while nothing newer may be known: ttl %dms", st.TTLMS)
		}
		a := w.Refresh([]string{"a"}, false)
		if len(a.IDs) != 0 || len(a.Skipped) != 1 || a.Skipped[0].Reason != provider.RateLimited || a.Skipped[0].RetryAt.IsZero() {
			t.Errorf("%+v", a)
		}
		if m, want := a.Skipped[0].Message, "a says to wait another 1m; probe it all the same: providerctl refresh a --force"; m != want {
			t.Errorf("%q, want %q", m, want)
		}
		time.Sleep(59*time.Second + 900*time.Millisecond)
		if a := w.Refresh([]string{"a"}, false); len(a.Skipped) != 1 || !strings.HasPrefix(a.Skipped[0].Message, "a says to wait another 1s; ") {
			t.Errorf("just before: %+v", a)
		}
		w.Refresh([]string{"a"}, true)
		time.Sleep(2 * time.Second)
		if n := len(w.probes("a")); n != 2 {
			t.Errorf("%d probes after a forced refresh, want 2", n)
		}
	})
}

// limited is a harness with a provider that asked for no requests for ten minutes.
func limited(t *testing.T) *harness {
	w := newHarness(t, Options{})
	w.play("a", func(_ context.Context, n int) probe.Observation {
		return probe.Observation{Saw: provider.RateLimited, RetryAt: time.Now().Add(10 * time.Minute)}
	})
	w.apply(cloud("a"))
	w.run()
	time.Sleep(time.Minute)
	return w
}

// What the daemon does by itself waits for retry_at too.
func TestSchedule_RetryAtHolds(t *testing.T) {
	want := func(t *testing.T, w *harness, probes int) {
		t.Helper()
		time.Sleep(time.Minute)
		if n := len(w.probes("a")); n != probes {
			t.Errorf("%d probes, want %d", n, probes)
		}
	}
	t.Run("AcrossAReload", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := limited(t)
			p := cloud("a")
			p.SlowAfter = 2 * time.Second
			w.apply(p)
			if st := w.row("a"); st.TTLMS < 600_000 {
				t.Errorf("ttl %dms: it is stale before it may be asked", st.TTLMS)
			}
			want(t, w, 1)
			time.Sleep(10 * time.Minute)
			if n := len(w.probes("a")); n < 2 {
				t.Error("it is never asked again")
			}
		})
	})
	t.Run("ButAForcedRefreshIsNotLost", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := limited(t)
			w.Refresh(nil, true)
			time.Sleep(100 * time.Millisecond)
			w.Refresh(nil, true) // waits for its turn
			p := cloud("a")
			p.SlowAfter = 2 * time.Second
			w.apply(p)
			want(t, w, 3)
			w.Refresh(nil, true)
			want(t, w, 4)
		})
	})
	t.Run("NotForAnotherKey", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := limited(t)
			p := cloud("a")
			p.Key = config.NewSecret("another")
			w.apply(p)
			want(t, w, 2)
		})
	})
	t.Run("AcrossPauseAndResume", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := limited(t)
			_ = w.SetPaused("a", true)
			_ = w.SetPaused("a", false)
			time.Sleep(time.Second)
			if st := w.row("a"); st.Reason != provider.RateLimited || !st.NextCheckAt.Equal(st.RetryAt.Time) {
				t.Errorf("%s, next check %s, retry at %s", st.Reason, st.NextCheckAt, st.RetryAt)
			}
			if a := w.Refresh(nil, false); len(a.Skipped) != 1 {
				t.Errorf("%+v", a)
			}
			want(t, w, 1)
		})
	})
	t.Run("AcrossARestart", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := limited(t)
			st := w.row("a")
			w.stop()
			again := newHarness(t, Options{})
			again.store.Configure([]string{"a"}, map[string]store.Update{"a": {Status: st}})
			again.restart()
			again.apply(cloud("a"), settings("b"))
			again.run()
			<-again.Swept() // without it
			time.Sleep(5 * time.Minute)
			if n := len(again.probes("a")); n != 0 {
				t.Errorf("%d probes before retry_at", n)
			}
			time.Sleep(10 * time.Minute)
			if n := len(again.probes("a")); n == 0 {
				t.Error("it is never asked again")
			}
		})
	})
}

// An accepted refresh is still owed its probe if that is aborted before the provider's retry_at.
func TestSchedule_ACutShortRefreshIsStillOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := limited(t)
		w.play("a", func(ctx context.Context, n int) probe.Observation {
			if n == 2 { // until the reload
				<-ctx.Done()
				return probe.Observation{}
			}
			return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
		})
		accepted := w.Refresh([]string{"a"}, true)
		time.Sleep(2 * time.Second)
		changed := cloud("a")
		changed.Interval = 2 * time.Minute
		w.apply(changed)
		time.Sleep(2 * time.Second)
		if st := w.row("a"); st.Generation < accepted.Generation || st.Reason != provider.OK {
			t.Errorf("%s, generation %d, promised %d", st.Reason, st.Generation, accepted.Generation)
		}
	})
}

// A process whose clock was ten years ahead was asked to wait for two minutes. The next one, with the
// right clock, does not wait for ten years, and shows no time in the future.
func TestSchedule_RetryAtOfAClockThatWasAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ahead = 10 * 365 * 24 * time.Hour
		w := newHarness(t, Options{})
		then := provider.Time{Time: time.Now().Add(ahead)}
		p := cloud("a")
		w.store.Configure([]string{"a"}, map[string]store.Update{"a": {Status: provider.Status{
			Kind: p.Kind, Type: p.Type, Endpoint: p.Endpoint, State: provider.StateDegraded, Reason: provider.RateLimited,
			CheckedAt: then, Since: then, LastOKAt: then, RetryAt: provider.Time{Time: then.Add(2 * time.Minute)},
		}}})
		w.restart()
		w.apply(p)
		st, now := w.row("a"), time.Now()
		if st.Since.After(now) || st.CheckedAt.After(now) || st.LastOKAt.After(now) {
			t.Errorf("yet to come: %+v", st)
		}
		if st.Reason != provider.RateLimited || !st.RetryAt.Equal(now.Add(2*time.Minute)) {
			t.Errorf("%s until %s", st.Reason, st.RetryAt)
		}
		w.run()
		time.Sleep(time.Minute)
		if n := len(w.probes("a")); n != 0 {
			t.Errorf("%d probes before the wait is over", n)
		}
		time.Sleep(2 * time.Minute)
		if n := len(w.probes("a")); n == 0 {
			t.Error("it is not asked")
		}
	})
}
