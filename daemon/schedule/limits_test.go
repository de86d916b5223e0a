package schedule

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// dump is a report of an answer with headers about limits.
func dump(status int, reset string) provider.Report {
	return provider.Report{Status: status, Headers: map[string][]string{
		"x-ratelimit-limit-requests": {"50"}, "x-ratelimit-remaining-requests": {"0"}, "x-ratelimit-reset-requests": {reset},
	}}
}

// What a report says is left is in the row at once, and out of it at the reset, though no probe
// is due by then. A success says nothing else, and asks for no probe.
func TestLimits_AreDroppedAtTheirReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", always(provider.OK))
		p := cloud("a")
		p.Interval = time.Hour
		w.apply(p)
		w.run()
		time.Sleep(10 * time.Second)
		n := len(w.probes("a"))
		w.tell("a", dump(200, "90s"))
		w.shows("a", provider.StateRunning, provider.OK, provider.FromProbe)
		st := w.row("a")
		if l := st.UsedUp(time.Now()); l == nil || l.Name != "requests" || *l.Limit != 50 || l.Source != provider.FromReport || l.By != "" {
			t.Fatalf("%+v", st.Limits)
		}
		time.Sleep(89 * time.Second)
		if w.row("a").Limits == nil {
			t.Error("it is dropped before its reset")
		}
		time.Sleep(2 * time.Second)
		if st := w.row("a"); st.Limits != nil {
			t.Errorf("it is shown after its reset: %+v", *st.Limits)
		}
		w.say("a", dump(200, "1h"), 1000)
		st = w.row("a")
		if l := st.UsedUp(time.Now()); l == nil || l.By != "uid 1000" || time.Until(l.ResetsAt.Time) > time.Minute {
			t.Fatalf("%+v", st.Limits)
		}
		time.Sleep(time.Minute + time.Second)
		if st := w.row("a"); st.Limits != nil {
			t.Errorf("a user is believed for more than a minute: %+v", *st.Limits)
		}
		if more := len(w.probes("a")) - n; more != 0 {
			t.Errorf("%d probes", more)
		}
	})
}

// A probe's own limits are in the row, also after a restart, and nothing is kept of a provider
// that is removed.
func TestLimits_OfProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", func(_ context.Context, n int) probe.Observation {
			o := probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
			if zero := 0.0; n == 1 {
				o.Limits = []provider.Limit{{Name: "tokens", Remaining: &zero, ResetsAt: provider.Time{Time: time.Now().Add(time.Hour)}, At: provider.Time{Time: time.Now()}}}
			}
			return o
		})
		w.apply(cloud("a"))
		w.run()
		time.Sleep(10 * time.Minute)
		st := w.row("a")
		if l := st.UsedUp(time.Now()); l == nil || l.Source != provider.FromProbe {
			t.Fatalf("%+v", st.Limits)
		}
		again := newHarness(t, Options{})
		again.play("a", always(provider.OK))
		again.store.Configure([]string{"a"}, map[string]store.Update{"a": {Status: st}})
		again.restart()
		again.apply(cloud("a"))
		again.run()
		time.Sleep(time.Second)
		if st = again.row("a"); st.UsedUp(time.Now()) == nil {
			t.Error("it is forgotten by a restart")
		}
		again.apply()
		if n := len(again.limits); n != 0 {
			t.Errorf("%d timers of providers that are removed", n)
		}
	})
}
