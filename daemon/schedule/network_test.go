package schedule

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

func TestSchedule_Offline(t *testing.T) {
	fault := func(context.Context, int) probe.Observation {
		return probe.Observation{Saw: provider.NetworkUnreachable, HostFault: true}
	}
	t.Run("EveryRemoteFails", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.play("b", fault)
			w.play("c", fault)
			w.apply(settings("local"), cloud("b"), cloud("c"))
			w.run()
			time.Sleep(time.Minute)
			for id, want := range map[string]provider.Reason{"local": provider.OK, "b": provider.Offline, "c": provider.Offline} {
				if st := w.row(id); st.Reason != want {
					t.Errorf("%s is %s %s, want %s", id, st.State, st.Reason, want)
				}
			}
		})
	})
	t.Run("OneRemoteWorks", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.play("b", fault)
			w.apply(cloud("c"), cloud("b"))
			w.run()
			time.Sleep(time.Minute)
			if st := w.row("b"); st.State != provider.StateError || st.Reason != provider.NetworkUnreachable {
				t.Errorf("%s %s", st.State, st.Reason)
			}
		})
	})
	t.Run("TheHostSaysSo", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{Online: func() bool { return false }})
			w.play("b", fault)
			w.apply(cloud("b"))
			w.run()
			time.Sleep(time.Second)
			if st := w.row("b"); st.State != provider.StateUnknown || st.Reason != provider.Offline {
				t.Errorf("%s %s", st.State, st.Reason)
			}
		})
	})
}

// outage is a world of remote providers whose network is gone for half an hour,
// five minutes from its start.
func outage(t *testing.T, ids ...string) (w *world, cut, back time.Time) {
	w = newWorld(t, Options{})
	cut = time.Now().Add(5 * time.Minute)
	back = cut.Add(30 * time.Minute)
	var list []config.Provider
	for _, id := range ids {
		w.play(id, func(context.Context, int) probe.Observation {
			if now := time.Now(); now.After(cut) && now.Before(back) {
				return probe.Observation{Saw: provider.DNSFailure, HostFault: true}
			}
			return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
		})
		list = append(list, cloud(id))
	}
	w.apply(list...)
	return w.run(), cut, back
}

func (w *world) want(state provider.State, reason provider.Reason, ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		if st := w.row(id); st.State != state || st.Reason != reason {
			w.t.Errorf("%s is %s %s, want %s %s", id, st.State, st.Reason, state, reason)
		}
	}
}

// When one remote provider cannot be reached because of this host, the others are
// asked too, so that nobody is blamed for what is ours; and all are asked again
// when the first is back.
func TestSchedule_AnOutageOfThisHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cut, back := outage(t, "b", "c")
		time.Sleep(time.Until(cut) + 75*time.Second) // each was due once
		w.want(provider.StateUnknown, provider.Offline, "b", "c")
		time.Sleep(time.Until(back) + 20*time.Second)
		w.want(provider.StateRunning, provider.OK, "b", "c")
		events, err := w.store.Events(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.To == provider.StateError {
				t.Errorf("blamed: %+v", e)
			}
		}
	})
}

// One that must not be asked cannot tell that the network is there.
func TestSchedule_AnOutageWithAPausedProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cut, _ := outage(t, "b", "c", "paused")
		time.Sleep(time.Minute)
		_ = w.SetPaused("paused", true)
		time.Sleep(time.Until(cut) + 75*time.Second)
		w.want(provider.StateUnknown, provider.Offline, "b", "c")
	})
}
