package schedule

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

const feedURL = "https://status.example.com/api/v2/summary.json"

func followed(id string) config.Provider {
	p := cloud(id)
	p.Feed = config.Feed{URL: feedURL, Format: config.Statuspage, Components: []string{"API"}}
	return p
}

func outageOf(name string) *provider.Incident {
	return &provider.Incident{Name: name, Impact: provider.ImpactMajor}
}

// heard waits until a row has that incident.
func (w *harness) heard(id, name string) provider.Status {
	w.t.Helper()
	for range 100 {
		changed := w.store.Changed(id)
		st := w.row(id)
		if st.Incident != nil && st.Incident.Name == name || st.Incident == nil && name == "" {
			return st
		}
		<-changed
	}
	w.t.Fatalf("%s never had the incident %q: %+v", id, name, w.row(id))
	return provider.Status{}
}

// What a vendor reports is visible at once, with an event and without a probe.
func TestSchedule_ApplyVendorStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.apply(followed("a"), followed("b"))
		w.run()
		time.Sleep(10 * time.Second)
		probes, before := len(w.probes("a")), w.row("a")
		step := provider.FeedStep{URL: feedURL, Impact: provider.ImpactMajor}
		w.ApplyVendorStatus("a", outageOf("Errors"), &step)
		st := w.heard("a", "Errors")
		if st.State != provider.StateDegraded || st.Reason != provider.VendorIncident {
			t.Errorf("%s %s", st.State, st.Reason)
		}
		if len(w.probes("a")) != probes || !st.CheckedAt.Equal(before.CheckedAt.Time) || st.Generation != before.Generation ||
			!st.NextCheckAt.Equal(before.NextCheckAt.Time) {
			t.Errorf("it took a probe: %+v", st)
		}
		if d := w.store.View().Row("a").Diagnostics; d.Feed == nil || d.Feed.Impact != provider.ImpactMajor ||
			d.Verdict.Reason != provider.VendorIncident || d.Verdict.Saw != provider.OK {
			t.Errorf("evidence %+v", d)
		}
		time.Sleep(2 * time.Minute) // the next probes know of it too
		w.want(provider.StateDegraded, provider.VendorIncident, "a")
		w.want(provider.StateRunning, provider.OK, "b")
		if d := w.store.View().Row("a").Diagnostics; d.Feed == nil {
			t.Error("a probe's evidence lacks the feed's")
		}
		w.ApplyVendorStatus("a", nil, &provider.FeedStep{URL: feedURL, Impact: provider.ImpactNone})
		if st := w.heard("a", ""); st.State != provider.StateRunning {
			t.Errorf("%s %s after it is over", st.State, st.Reason)
		}
		w.stop()
		w.restart()
		defer w.store.Close()
		events, err := w.store.Events(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []provider.Reason
		for _, e := range events {
			if e.ID == "a" {
				got = append(got, e.Reason)
			}
		}
		if len(got) != 3 || got[1] != provider.VendorIncident || got[2] != provider.OK {
			t.Errorf("events %v", got)
		}
	})
}

func TestSchedule_ApplyVendorStatusOfWhoDoesNotFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.apply(cloud("a"), followed("b"))
		w.run()
		time.Sleep(10 * time.Second)
		w.ApplyVendorStatus("nobody", outageOf("Errors"), &provider.FeedStep{URL: feedURL})
		w.ApplyVendorStatus("a", outageOf("Errors"), &provider.FeedStep{URL: feedURL})
		w.ApplyVendorStatus("b", outageOf("Errors"), &provider.FeedStep{URL: "https://status.example.com/old"})
		synctest.Wait()
		w.want(provider.StateRunning, provider.OK, "a", "b")
	})
}

// A feed that a provider no longer follows is no longer believed.
func TestSchedule_AReloadThatTakesTheFeedAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.apply(followed("a"))
		w.run()
		time.Sleep(10 * time.Second)
		w.ApplyVendorStatus("a", outageOf("Errors"), &provider.FeedStep{URL: feedURL})
		w.heard("a", "Errors")
		w.apply(cloud("a"))
		if st := w.heard("a", ""); st.State != provider.StateRunning {
			t.Errorf("%s %s", st.State, st.Reason)
		}
		if d := w.store.View().Row("a").Diagnostics; d.Feed != nil {
			t.Errorf("evidence %+v", d.Feed)
		}
	})
}

// An incident survives a restart of the daemon, and ends when the feed says that it is over.
func TestSchedule_AnIncidentOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.apply(followed("a"))
		w.run()
		time.Sleep(10 * time.Second)
		w.ApplyVendorStatus("a", outageOf("Errors"), &provider.FeedStep{URL: feedURL})
		w.heard("a", "Errors")
		w.stop()

		again := newHarness(t, Options{})
		_ = again.store.Close()
		again.path = w.path
		again.restart()
		again.o.Store = again.store
		again.apply(followed("a"))
		again.run()
		time.Sleep(10 * time.Second)
		again.NoteFeed("a", &provider.FeedStep{URL: feedURL, Error: "no answer"})
		synctest.Wait()
		if d := again.store.View().Row("a").Diagnostics; d.Feed == nil || d.Feed.Error == "" {
			t.Errorf("evidence %+v", d)
		}
		again.want(provider.StateDegraded, provider.VendorIncident, "a")
		if st := again.row("a"); st.Source != provider.FromProbe || st.Incident == nil {
			t.Errorf("%+v", st)
		}
		again.ApplyVendorStatus("a", nil, &provider.FeedStep{URL: feedURL})
		again.heard("a", "")
		again.want(provider.StateRunning, provider.OK, "a")
	})
}

// A server that answers during an incident of its vendor is probed at the usual pace.
func TestCadence_OfAVendorsIncident(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		p := followed("a")
		p.Type, p.Interval = provider.Local, 10*time.Second
		w.apply(p)
		w.run()
		time.Sleep(11 * time.Second)
		w.ApplyVendorStatus("a", outageOf("Errors"), &provider.FeedStep{URL: feedURL})
		n := len(w.probes("a"))
		time.Sleep(time.Minute)
		if more := len(w.probes("a")) - n; more > 7 {
			t.Errorf("%d probes in a minute", more)
		}
	})
}

// A provider that moves keeps what its vendor reported, which will not be reported again.
func TestSchedule_VendorStatusStaysWhenTheAddressChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.apply(followed("a"))
		w.run()
		time.Sleep(10 * time.Second)
		w.ApplyVendorStatus("a", outageOf("Errors"), &provider.FeedStep{URL: feedURL, Impact: provider.ImpactMajor})
		w.heard("a", "Errors")
		moved := followed("a")
		moved.BaseURL += "/v2"
		w.apply(moved)
		time.Sleep(10 * time.Second)
		w.want(provider.StateDegraded, provider.VendorIncident, "a")
	})
}
