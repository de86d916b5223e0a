package schedule

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A server of this machine, as a test starts and ends it. It plays a prober.
type played struct {
	w     *harness
	id    string
	up    atomic.Bool
	wasUp sync.Map // of the times when it was asked: whether it was up
}

func (w *harness) playServer(id string, up bool) *played {
	s := &played{w: w, id: id}
	s.up.Store(up)
	w.play(id, func(_ context.Context, n int) probe.Observation {
		ask := w.asked(id)[n-1]
		isUp := s.up.Load()
		s.wasUp.Store(w.probes(id)[n-1], isUp)
		switch {
		case !isUp:
			return probe.Observation{Saw: provider.ConnectionRefused, Bare: ask.DialFirst || ask.Bare}
		case ask.Bare:
			return probe.Observation{}
		}
		return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
	})
	return s
}

// looks are when the server was asked in the last while: by probes, and by bare connects
// that were no probes.
func (s *played) looks(since time.Time) (probes, bare []time.Duration) {
	asks := s.w.asked(s.id)
	for i, at := range s.w.probes(s.id) {
		switch {
		case at.Before(since):
		case asks[i].Bare:
			bare = append(bare, at.Sub(since))
		default:
			probes = append(probes, at.Sub(since))
		}
	}
	return probes, bare
}

func atPort(id string, port int) config.Provider {
	p := settings(id)
	p.BaseURL = fmt.Sprintf("http://127.0.0.1:%d", port)
	p.Interval = time.Hour
	return p
}

// await returns how long it took until the row is in the state; it ends the test after an hour.
func (s *played) await(state provider.State) time.Duration {
	s.w.t.Helper()
	began := time.Now()
	for time.Since(began) < time.Hour {
		changed := s.w.store.Changed(s.id)
		if s.w.row(s.id).State == state {
			return time.Since(began)
		}
		select {
		case <-changed:
		case <-time.After(time.Hour):
		}
	}
	s.w.t.Fatalf("it is not %s: %s", state, s.w.row(s.id).State)
	return 0
}

// That a socket was closed has the provider asked at once, however soon after a probe, and
// a refused connection settles it.
func TestScheduler_SeesADeathAtOnce(t *testing.T) {
	for name, after := range map[string]time.Duration{"SoonAfterAProbe": 100 * time.Millisecond, "LongAfterAProbe": 20 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newHarness(t, Options{})
				s := w.playServer("a", true)
				w.apply(atPort("a", 4001), atPort("b", 4002))
				w.run()
				s.await(provider.StateRunning)
				time.Sleep(after)
				s.up.Store(false)
				died := time.Now()
				w.Closed([]uint16{1, 4001, 5000})
				if took := s.await(provider.StateStopped); took != 0 {
					t.Errorf("it took %s", took)
				}
				if probes, bare := s.looks(died); len(probes)+len(bare) != 1 {
					t.Errorf("%d probes and %d bare connects, want one look", len(probes), len(bare))
				}
				if n := len(w.probes("b")); n != 1 {
					t.Errorf("the neighbour was asked %d times, want once", n)
				}
			})
		})
	}
}

// A message is no evidence: another socket may listen there. Such messages cost one bare
// connect a second, and one probe, however many they are.
func TestScheduler_NewsAreNoEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		s := w.playServer("a", true)
		w.apply(atPort("a", 4001))
		w.run()
		s.await(provider.StateRunning)
		time.Sleep(100 * time.Millisecond)
		began := time.Now()
		for range 1000 {
			w.Closed([]uint16{4001})
			time.Sleep(10 * time.Millisecond)
		}
		probes, bare := s.looks(began)
		if n := len(probes) + len(bare); n < 10 || n > 20 {
			t.Errorf("%d probes and %d bare connects in 10 s", len(probes), len(bare))
		}
		for i := range probes[1:] {
			if gap := probes[i+1] - probes[i]; gap < time.Second {
				t.Errorf("two probes within %s", gap)
			}
		}
		if events, err := w.store.Events(0, 0); err != nil || len(events) != 1 {
			t.Errorf("%d events, want the first alone; %v", len(events), err)
		}
	})
}

// A death is not missed while a probe is under way, or when messages were lost.
func TestScheduler_SeesADeathDuringAProbe(t *testing.T) {
	for name, tell := range map[string]func(*Scheduler){
		"Message": func(s *Scheduler) { s.Closed([]uint16{4001}) }, "Lost": (*Scheduler).ClosedAny,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newHarness(t, Options{})
				var up atomic.Bool
				up.Store(true)
				w.play("a", func(_ context.Context, n int) probe.Observation {
					saw := up.Load() // as it was when the probe began
					if n < 3 {
						time.Sleep(time.Second)
					}
					if saw {
						return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
					}
					return probe.Observation{Saw: provider.ConnectionRefused, Bare: true}
				})
				w.apply(atPort("a", 4001))
				w.run()
				time.Sleep(10 * time.Second)
				w.Refresh(nil, false)
				time.Sleep(100 * time.Millisecond)
				up.Store(false)
				tell(w.Scheduler)
				time.Sleep(2 * time.Second)
				if st := w.row("a"); st.State != provider.StateStopped {
					t.Errorf("it is %s", st.State)
				}
			})
		})
	}
}

// A server that comes back soon is seen within a knock, and is then probed at once.
func TestScheduler_SeesABirthSoonAfterADeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		s := w.playServer("a", true)
		w.apply(atPort("a", 4001))
		w.run()
		s.await(provider.StateRunning)
		for _, away := range []time.Duration{1100 * time.Millisecond, 3330 * time.Millisecond, 29 * time.Second} {
			time.Sleep(time.Minute)
			s.up.Store(false)
			w.Closed([]uint16{4001})
			s.await(provider.StateStopped)
			time.Sleep(away)
			s.up.Store(true)
			if took := s.await(provider.StateRunning); took > knockGap {
				t.Errorf("after %s: it took %s", away, took)
			}
		}
	})
}

// Knocking ends by itself, costs no probes, and many servers that end together do not all
// have it.
func TestScheduler_KnocksForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const servers = 2 * mostVigils
		w := newHarness(t, Options{})
		var all []*played
		var list []config.Provider
		for i := range servers {
			id := fmt.Sprint(i)
			all = append(all, w.playServer(id, true))
			p := atPort(id, 4000+i)
			list = append(list, p)
		}
		w.apply(list...)
		w.run()
		<-w.Swept()
		time.Sleep(time.Minute)
		before := w.Stats()
		for _, s := range all {
			s.up.Store(false)
		}
		died := time.Now()
		w.ClosedAny()
		time.Sleep(20 * time.Second)
		knockedAt := 0
		for _, s := range all {
			if n := len(w.probes(s.id)); n > 60 {
				knockedAt++
			}
			s.await(provider.StateStopped)
		}
		if knockedAt != mostVigils {
			t.Errorf("%d servers are knocked at, want %d", knockedAt, mostVigils)
		}
		time.Sleep(20 * time.Second)
		began := time.Now()
		time.Sleep(20 * time.Second)
		for _, s := range all {
			if probes, bare := s.looks(began); len(bare) > 0 || len(probes) > 11 {
				t.Errorf("%s: %d probes and %d bare connects in 20 s, a long time after it ended", s.id, len(probes), len(bare))
			}
		}
		if w.vigils != 0 {
			t.Errorf("%d vigils are left", w.vigils)
		}
		stats := w.Stats()
		most := uint64(servers) * uint64(time.Since(died)/fast+2)
		if n := stats.Probes() - before.Probes(); n > most {
			t.Errorf("%d probes were counted, want at most %d: a bare connect is none", n, most)
		}
	})
}

// Whoever asks for rows younger than a second finds a server that has begun within a
// knock, although it was away for long.
func TestScheduler_KnocksForWhoeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		s := w.playServer("a", false)
		w.apply(atPort("a", 4001))
		w.run()
		s.await(provider.StateStopped)
		time.Sleep(10 * time.Minute)
		began := time.Now()
		for range 20 {
			w.Ensure([]string{"a"}, knockGap)
			time.Sleep(knockGap + time.Millisecond)
		}
		if probes, bare := s.looks(began); len(probes)+len(bare) < 18 {
			t.Errorf("%d looks in %s", len(probes)+len(bare), time.Since(began))
		}
		s.up.Store(true)
		w.Ensure([]string{"a"}, knockGap)
		if took := s.await(provider.StateRunning); took > knockGap {
			t.Errorf("it took %s", took)
		}
		began = time.Now()
		for range 20 {
			w.Ensure([]string{"a"}, knockGap)
			time.Sleep(knockGap + time.Millisecond)
		}
		if probes, bare := s.looks(began); len(probes) > 6 || len(bare) > 0 {
			t.Errorf("%d probes and %d bare connects in 5 s of a server that is there", len(probes), len(bare))
		}
	})
}

// Promise 3: a server that begins and ends all the time, with messages of each, and that
// everybody asks for, is probed at most once a second. A bare connect is no probe.
func TestPromise3_BareConnectsAreNoProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		s := w.playServer("a", true)
		w.apply(atPort("a", 4001))
		w.run()
		s.await(provider.StateRunning)
		var last time.Time // when a probe began that was no bare connect
		for i := range 1000 {
			s.up.Store(i%7 < 4)
			switch i % 3 {
			case 0:
				w.Closed([]uint16{4001})
			case 1:
				w.Ensure(nil, 0)
			default:
				w.Refresh(nil, false)
			}
			time.Sleep(37 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		asks := w.asked("a")
		for i, at := range w.probes("a") {
			if isUp, _ := s.wasUp.Load(at); asks[i].Bare || isUp == false {
				continue
			}
			if gap := at.Sub(last); !last.IsZero() && gap < minGap {
				t.Errorf("two probes within %s", gap)
			}
			last = at
		}
	})
}

// A refresh during a knock is kept: its generation comes from a look that began after it.
func TestPromise2_BareConnectLosesNoRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		s := w.playServer("a", true)
		w.apply(atPort("a", 4001))
		w.run()
		s.await(provider.StateRunning)
		for i := range 50 {
			time.Sleep(time.Duration(i*29) * time.Millisecond)
			s.up.Store(i%2 == 0)
			w.Closed([]uint16{4001})
			accepted := time.Now()
			g := w.Refresh([]string{"a"}, false).Generation
			time.Sleep(1100 * time.Millisecond)
			if st := w.row("a"); st.Generation < g || st.CheckedAt.Before(accepted) {
				t.Errorf("refresh %d: the row is of generation %d, checked %s after it", g, st.Generation, st.CheckedAt.Sub(accepted))
			}
		}
	})
}
