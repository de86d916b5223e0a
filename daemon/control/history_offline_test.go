package control_test

import (
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// After an outage of this machine a provider is unknown until its first probe, which has no
// event if nothing changed. With and without a window, a history counts the same.
func TestHistory_AfterAnOutageOfThisMachine(t *testing.T) {
	r := start(t, control.Options{}, running("a"))
	r.store.Watch(store.Watched{Wall: time.Now()})
	known := func(query string) float64 {
		t.Helper()
		return want[provider.HistoryReply](r, "GET", "/api/providers/a/history"+query, 200).KnownSeconds
	}
	const window, exact = "?window=1d", 0.02
	agree := func(when string) (plain float64) {
		t.Helper()
		before := known(window)
		plain = known("")
		if after := known(window); plain < before-exact || plain > after+exact {
			t.Errorf("%s: %v s are known, and in the window between %v and %v s", when, plain, before, after)
		}
		return plain
	}
	host := func(to provider.State, reason provider.Reason) {
		more := r.store.NextEvents()
		r.store.Note(provider.Event{Time: provider.Time{Time: time.Now()}, ID: provider.HostID, To: to, Reason: reason, IDs: []string{"a"}})
		<-more
	}
	turn := func(state provider.State, reason provider.Reason, event bool) {
		u := turned("a", state, reason)
		if !event {
			u.Event = nil
		}
		r.store.Put(u)
		if err := r.store.SyncBarrier(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	turn(provider.StateStopped, provider.ConnectionRefused, true)
	turn(provider.StateRunning, provider.OK, true)
	agree("before it")
	turn(provider.StateUnknown, provider.Offline, false)
	host(provider.StateUnknown, provider.Offline)
	lost := agree("in it")
	host(provider.StateRunning, provider.OK)
	<-time.After(300 * time.Millisecond)
	if back := agree("before the first probe"); back > lost+0.2 {
		t.Errorf("%v s are known before the first probe, and %v s were in the outage", back, lost)
	}
	turn(provider.StateRunning, provider.OK, false)
	<-time.After(100 * time.Millisecond)
	if probed := agree("after the first probe"); probed < lost+0.1 {
		t.Errorf("%v s are known after the first probe, and %v s were in the outage", probed, lost)
	}
}
