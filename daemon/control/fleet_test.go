package control_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/store/provider"
)

// A fakeFleet is what a test says it is.
type fakeFleet struct {
	mu      sync.Mutex
	reply   provider.FleetReply
	changed chan struct{}
}

func newFakeFleet(mode provider.FleetMode) *fakeFleet {
	f := &fakeFleet{reply: provider.NoFleet(), changed: make(chan struct{})}
	f.reply.Mode, f.reply.Name, f.reply.Member, f.reply.Hint = mode, "lab", "gpu1", ""
	return f
}

func (f *fakeFleet) Fleet() provider.FleetReply {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reply
}

func (f *fakeFleet) Mode() provider.FleetMode { return f.Fleet().Mode }

func (f *fakeFleet) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

func (f *fakeFleet) become(mode provider.FleetMode) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reply.Mode = mode
	close(f.changed)
	f.changed = make(chan struct{})
}

func TestFleet(t *testing.T) {
	t.Parallel()
	t.Run("WithoutOneSaysHowToHaveOne", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		got := want[provider.FleetReply](r, "GET", "/api/fleet", 200)
		if got.Mode != provider.FleetOff || got.Hint == "" || got.TS.IsZero() || got.Members == nil || got.Shared == nil || got.Hosts == nil {
			t.Errorf("%+v", got)
		}
	})
	t.Run("AsItIsNow", func(t *testing.T) {
		f := newFakeFleet(provider.FleetOK)
		r := start(t, control.Options{Fleet: f}, running("a"))
		if got := want[provider.FleetReply](r, "GET", "/api/fleet", 200); got.Mode != provider.FleetOK || got.Member != "gpu1" {
			t.Errorf("%+v", got)
		}
		f.become(provider.FleetAlone)
		if got := want[provider.FleetReply](r, "GET", "/api/fleet", 200); got.Mode != provider.FleetAlone {
			t.Errorf("%+v", got)
		}
		if resp, _ := r.do("GET", "/api/fleet?wait=5s", ""); resp.StatusCode != 400 {
			t.Errorf("a parameter that it does not know: %d", resp.StatusCode)
		}
	})
	t.Run("ItsChangesReachFollowersOfEvents", func(t *testing.T) {
		f := newFakeFleet(provider.FleetOK)
		r := start(t, control.Options{Fleet: f}, running("a"))
		r.emit(1)
		follower := r.stream("/api/events?since=1&follow=1")
		var modes []provider.FleetMode
		for _, mode := range []provider.FleetMode{provider.FleetAlone, provider.FleetOK} {
			f.become(mode)
			l, _ := follower.next()
			if l.Type != provider.NoteFleet || l.Event.Seq != 1 {
				t.Fatalf("line %+v", l)
			}
			modes = append(modes, l.Fleet)
		}
		if !slices.Equal(modes, []provider.FleetMode{provider.FleetAlone, provider.FleetOK}) {
			t.Errorf("modes: %v", modes)
		}
		r.emit(1) // and events still come
		if l, _ := follower.next(); l.Type != "" || l.Event.Seq != 2 {
			t.Errorf("line %+v, want event 2", l)
		}
	})
	t.Run("ManyChangesAreFewLines", func(t *testing.T) {
		f := newFakeFleet(provider.FleetOK)
		r := start(t, control.Options{Fleet: f, Heartbeat: 10 * time.Minute}, running("a"))
		r.emit(1)
		follower := r.stream("/api/events?since=1&follow=1")
		began := time.Now()
		f.become(provider.FleetAlone)
		follower.next()
		for range 1000 {
			f.become(provider.FleetOK)
		}
		f.become(provider.FleetAlone)
		l, _ := follower.next()
		if l.Fleet != provider.FleetAlone || time.Since(began) < time.Second {
			t.Errorf("the second line came after %v: %+v", time.Since(began), l)
		}
		r.emit(1)
		if l, _ := follower.next(); l.Type != "" {
			t.Errorf("line %+v, want the event", l)
		}
	})
	t.Run("AReadOfEventsHasNoneOfThem", func(t *testing.T) {
		f := newFakeFleet(provider.FleetOK)
		r := start(t, control.Options{Fleet: f}, running("a"))
		r.emit(1)
		f.become(provider.FleetAlone)
		if last, newest := r.stream("/api/events").rest(0); last.Type != "" || newest != 1 {
			t.Errorf("last line %+v, newest %d", last, newest)
		}
	})
}
