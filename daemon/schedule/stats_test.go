package schedule

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
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
		want := Stats{InFlight: 1, OK: 2, NotOK: 1, Failed: 1, Discarded: 2, Refreshes: 2, Idle: 1, Coalesced: 1, Planned: 4}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		var c provider.Counters
		if w.Counters(&c); c.Probes != 7 || c.ProbesFailed != 1 || c.InFlight != 1 {
			t.Errorf("%+v", c)
		}
		for id, want := range map[string]ProviderStats{
			"ok": {OK: 1}, "scoped": {OK: 1}, "ill": {NotOK: 1}, "broken": {}, "paused": {}, "hangs": {}, "removed": {},
		} {
			if diff := cmp.Diff(want, w.Counted().Provider(id)); diff != "" {
				t.Errorf("%s: %s", id, diff)
			}
		}
	})
}

// A provider that waits for a slot is counted until it has one or no longer wants one.
func TestSchedule_StatsCountWhoWaitsForAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{Lane: 1})
		ids := []string{"first", "next", "paused", "limited", "removed", "last"}
		var all []config.Provider
		for _, id := range ids {
			w.play(id, silence(time.Minute))
			all = append(all, settings(id))
		}
		w.apply(all...)
		w.run()
		time.Sleep(time.Second)
		waits := func(what string, want int) {
			t.Helper()
			if got := w.Stats().Waiting; got != want {
				t.Errorf("%s: %d wait, want %d", what, got, want)
			}
		}
		waits("one is asked", 5)
		_ = w.SetPaused("paused", true)
		waits("one is paused", 4)
		if err := w.Report("limited", provider.Report{Status: 429, RetryAfter: "600"}, "uid 0"); err != nil {
			t.Fatal(err)
		}
		waits("one is to be left alone", 3)
		w.apply(all[0], all[1], all[2], all[3], all[5])
		waits("one is removed", 2)
		w.apply(all[1], all[2], all[3], all[5])
		synctest.Wait()
		waits("the next one is asked", 1)
	})
}

// answering is a probe that succeeds after that time.
func answering(took time.Duration) func(context.Context, int) probe.Observation {
	return func(context.Context, int) probe.Observation {
		return probe.Observation{Began: time.Now(), Saw: provider.OK, Latency: took}
	}
}

func durations(each ...time.Duration) (d store.Durations) {
	for _, took := range each {
		d.Add(took)
	}
	return d
}

// A kind's latencies are those of all its providers, including removed ones.
func TestSchedule_LatenciesOfEachKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		a, b, other, mute := settings("a"), settings("b"), settings("other"), settings("mute")
		a.Kind, b.Kind, other.Kind, mute.Kind = "ollama", "ollama", "vllm", "http"
		w.play("a", answering(3*time.Millisecond))
		w.play("b", answering(time.Minute)) // beyond the last step
		w.play("other", answering(time.Second))
		w.play("mute", always(provider.ConnectionRefused))
		w.apply(a, b, other, mute)
		w.run()
		time.Sleep(time.Second)
		w.apply(b, mute)
		want := map[string]store.Durations{
			"ollama": durations(3*time.Millisecond, time.Minute), "vllm": durations(time.Second), "http": {},
		}
		if diff := cmp.Diff(want, w.Counted().Kinds()); diff != "" {
			t.Error(diff)
		}
	})
}

// Latencies of each provider are counted from when they are enabled, and while they are.
func TestSchedule_LatenciesOfEachProviderOnRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", answering(3*time.Millisecond))
		w.play("late", answering(5*time.Millisecond))
		w.apply(settings("a"))
		w.run()
		holds := func(what, id string, want *store.Durations) {
			t.Helper()
			if diff := cmp.Diff(want, w.Counted().Provider(id).Latencies); diff != "" {
				t.Errorf("%s: %s: %s", what, id, diff)
			}
		}
		refresh := func() { time.Sleep(2 * time.Second); w.Refresh(nil, false); time.Sleep(time.Second) }
		none, once := durations(), durations(3*time.Millisecond)
		refresh()
		holds("nobody wants them", "a", nil)
		w.KeepLatencies(true)
		holds("before its next probe", "a", &none)
		refresh()
		w.KeepLatencies(true) // a reload that changes nothing
		holds("after it", "a", &once)
		w.apply(settings("a"), settings("late"))
		time.Sleep(time.Second)
		late := durations(5 * time.Millisecond)
		holds("one that came later", "late", &late)
		elsewhere := settings("a")
		elsewhere.BaseURL = "http://elsewhere"
		w.apply(elsewhere, settings("late"))
		synctest.Wait()
		if d := w.Counted().Provider("a").Latencies; d == nil || d.Count > 1 {
			t.Errorf("of another server: %+v", d)
		}
		w.KeepLatencies(false)
		holds("nobody wants them any more", "a", nil)
		refresh()
		holds("nobody wants them any more", "late", nil)
	})
}
