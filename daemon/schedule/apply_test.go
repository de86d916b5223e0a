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

// Promise 5, the scheduler's part: an unchanged provider keeps its row, its schedule and its probe
// in flight; an error changes nothing.
func TestPromise5_ABadReloadChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.apply(settings("a"), settings("b"))
		w.run()
		time.Sleep(7 * time.Second)
		before := w.row("a")
		bad := settings("c")
		bad.BaseURL = "bad"
		if _, err := w.Apply([]config.Provider{settings("c2"), bad}); err == nil {
			t.Fatal("accepted")
		}
		if diff := cmp.Diff(before, w.row("a")); diff != "" {
			t.Error(diff)
		}
		if w.store.View().Len() != 2 {
			t.Error("the rows changed")
		}
		time.Sleep(9 * time.Second)
		if began := w.probes("a"); began[2].Sub(began[1]) != 10*time.Second {
			t.Errorf("the schedule changed: %v", began)
		}
	})
}

func TestApply_ReloadTouchesOnlyWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.apply(settings("same"), settings("tuned"), settings("moved"), settings("gone"))
		w.run()
		time.Sleep(7 * time.Second)
		tuned, moved := settings("tuned"), settings("moved")
		tuned.Interval = 20 * time.Second
		moved.BaseURL, moved.Endpoint = "http://127.0.0.1:2", "http://127.0.0.1:2"
		w.play("moved", silence(time.Second))
		same := w.row("same")

		c := w.apply(settings("new"), moved, settings("same"), tuned)
		want := Changes{Added: []string{"new"}, Removed: []string{"gone"}, Changed: []string{"moved", "tuned"}, Unchanged: 1}
		if diff := cmp.Diff(want, c); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(same, w.row("same")); diff != "" {
			t.Error(diff)
		}
		if st := w.row("tuned"); st.State != provider.StateRunning {
			t.Errorf("what was known of a tuned provider is lost: %+v", st)
		}
		if st := w.row("moved"); st.Reason != provider.NotChecked || st.Endpoint != "http://127.0.0.1:2" {
			t.Errorf("the row of another server stayed: %+v", st)
		}
		if w.store.View().Row("gone") != nil {
			t.Error("a removed provider has a row")
		}
		var order []string
		for i := range w.store.View().Len() {
			order = append(order, w.store.View().At(i).Status.ID)
		}
		if diff := cmp.Diff([]string{"new", "moved", "same", "tuned"}, order); diff != "" {
			t.Error(diff)
		}
		time.Sleep(time.Minute)
		if began := w.probes("same"); began[2].Sub(began[1]) != 10*time.Second {
			t.Errorf("the schedule of an unchanged provider moved: %v", began)
		}
		var last []string
		events, err := w.store.Events(4, 0) // four first results came before
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events[:2] {
			last = append(last, e.ID+" "+string(e.From)+">"+string(e.To)+": "+e.Detail)
		}
		if diff := cmp.Diff([]string{"gone RUNNING>UNKNOWN: removed from the configuration",
			"moved RUNNING>UNKNOWN: the configuration names another server"}, last); diff != "" {
			t.Error(diff)
		}
		if st := w.row("tuned"); st.TTLMS != 21500 {
			t.Errorf("ttl %dms after the interval changed", st.TTLMS)
		}
		if n := len(w.probes("gone")); n != 2 {
			t.Errorf("%d probes of a removed provider", n)
		}
	})
}

// A reload in the middle of a slow probe: the old answer does not count for the
// new settings, and there is never more than one probe in flight.
// A row says that nobody asked for its provider until a file names it, or the other way round.
func TestApply_SaysWhetherItWasAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		running := false
		for _, detected := range []bool{true, false, true} {
			p := settings("p")
			p.Detected = detected
			w.apply(p)
			if got := w.row("p").Unasked; got != detected {
				t.Errorf("unasked is %v, and detected %v", got, detected)
			}
			if !running {
				w.run()
				running = true
			}
			time.Sleep(7 * time.Second)
			if got := w.row("p").Unasked; got != detected {
				t.Errorf("after a probe: unasked is %v, and detected %v", got, detected)
			}
		}
	})
}

func TestApply_ReloadDuringAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", func(ctx context.Context, n int) probe.Observation {
			if n == 1 { // ignores that it was cancelled
				time.Sleep(time.Second)
				return probe.Observation{Saw: provider.WrongService}
			}
			return probe.Observation{Saw: provider.OK}
		})
		w.apply(settings("a"))
		w.run()
		synctest.Wait()
		p := settings("a")
		p.BaseURL, p.Endpoint = "http://127.0.0.1:2", "http://127.0.0.1:2"
		w.apply(p)
		for range 300 {
			time.Sleep(10 * time.Millisecond)
			if st := w.row("a"); st.Reason == provider.WrongService {
				t.Fatal("the old server's answer was taken for the new one's")
			}
		}
		if st := w.row("a"); st.Reason != provider.OK {
			t.Errorf("%+v", st)
		}
	})
}

// A daemon that starts with yesterday's database shows what it knew, marks it as old, and probes.
func TestApply_StartsFromWhatWasStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		st := provider.Status{ID: "a", Kind: "http", State: provider.StateRunning, Reason: provider.OK, Endpoint: "http://127.0.0.1:1",
			CheckedAt: provider.Time{Time: time.Now()}, TTLMS: 11500, Source: provider.FromProbe}
		w.store.Configure([]string{"a"}, map[string]store.Update{"a": {Status: st}})
		time.Sleep(24 * time.Hour)
		w.restart()
		w.play("a", silence(time.Second))
		w.apply(settings("a"))
		row := w.store.View().Row("a")
		if row.Status.State != provider.StateRunning || row.Status.Source != provider.FromRestored || !row.Stale(time.Now()) {
			t.Errorf("%+v", row.Status)
		}
		w.run()
		time.Sleep(2 * time.Second)
		if st := w.row("a"); st.Source != provider.FromProbe || st.Reason != provider.Hung {
			t.Errorf("%+v", st)
		}
	})
}

// A provider that was removed and comes back starts from scratch: what was known when this process
// began is outdated.
func TestApply_ComesBackAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		st := provider.Status{ID: "a", Kind: "http", State: provider.StateRunning, Reason: provider.Paused, Paused: true,
			Endpoint: "http://127.0.0.1:1", Source: provider.FromProbe, CheckedAt: provider.Time{Time: time.Now()}}
		w.store.Configure([]string{"a"}, map[string]store.Update{"a": {Status: st}})
		w.restart()
		w.apply(settings("a"), settings("b"))
		w.run()
		time.Sleep(time.Minute)
		if st := w.row("a"); !st.Paused || len(w.probes("a")) != 0 {
			t.Errorf("a pause ends with a restart: %+v", st)
		}
		_ = w.SetPaused("a", false)
		w.apply(settings("b"))
		w.apply(settings("b"), settings("a"))
		time.Sleep(2 * time.Second)
		if st := w.row("a"); st.Paused || st.Source != provider.FromProbe || st.Reason != provider.OK {
			t.Errorf("%+v", st)
		}
	})
}
