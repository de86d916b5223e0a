package fleet_test

import (
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

func TestEngine_AReloadWithoutFleetLeavesIt(t *testing.T) {
	inLab(t, 3, 2, func(l *lab) {
		m := l.prober("p0")
		m.configure(nil, l.providers)
		time.Sleep(2 * time.Second)
		if mode := m.engine.Mode(); mode != provider.FleetOff {
			t.Errorf("mode %s", mode)
		}
		if _, is := l.store.get(wire.Members + m.name); is {
			t.Error("it is still a member")
		}
		for _, p := range l.providers {
			if e := m.entry(p.ID); e.turn != schedule.Here {
				t.Errorf("%s: turn %d", p.ID, e.turn)
			}
		}
		m.configure(m.cfg, l.providers)
		time.Sleep(10 * time.Second)
		l.prober("p0")
		l.prober("p1")
	})
}

func TestEngine_AReloadWhileCutOff(t *testing.T) {
	inLab(t, 3, 2, func(l *lab) {
		m := l.machines[0]
		for wait := time.Duration(0); wait < 20*time.Second; wait += 900 * time.Millisecond {
			m.bus.setCut(true)
			time.Sleep(wait)
			m.configure(nil, l.providers)
			time.Sleep(wait % (2 * time.Second))
			m.configure(m.cfg, l.providers)
			m.bus.setCut(false)
			time.Sleep(40 * time.Second)
			l.prober("p0")
			l.prober("p1")
		}
	})
}

// Another name of the fleet, or of the member, is another membership: what was written or
// waited for in the old one means nothing there.
func TestEngine_AReloadWithAnotherMembership(t *testing.T) {
	for name, change := range map[string]func(f *config.Fleet){
		"name":  func(f *config.Fleet) { f.Member += "-new" },
		"trust": func(f *config.Fleet) { f.Trust = config.Follow },
		"key":   func(f *config.Fleet) { f.Key = append(make([]byte, 31), 1) },
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, 1, 3, func(l *lab) {
				m := l.machines[0]
				for range 8 {
					time.Sleep(737 * time.Millisecond)
					next := *m.cfg
					change(&next)
					m.configure(&next, l.providers)
					time.Sleep(300 * time.Millisecond) // while it claims
					m.configure(m.cfg, l.providers)
				}
				time.Sleep(30 * time.Second)
				second := l.boot("gpu1", nil)
				time.Sleep(time.Minute + 10*time.Second)
				for i, p := range l.providers {
					l.prober(p.ID)
					if c, is := l.store.get(wire.Rows + l.identity(i).FP.String()); !is {
						t.Errorf("%s has no row: %s", p.ID, c.Value)
					}
				}
				if n := len(second.engine.Fleet().Members); n != 2 {
					t.Errorf("%d members", n)
				}
			})
		})
	}
}

func TestEngine_AReloadAddsRemovesAndChangesProviders(t *testing.T) {
	inLab(t, 3, 3, func(l *lab) {
		all := clouds(5)
		for _, m := range l.machines {
			m.configure(m.cfg, all)
		}
		l.providers = all
		time.Sleep(30 * time.Second)
		for _, p := range all {
			l.prober(p.ID)
		}
		holder := l.prober("p1")
		holder.configure(holder.cfg, append(all[:1:1], all[2:]...))
		l.until(2*time.Second, "another claims what the prober removed", func() bool {
			for _, m := range l.machines {
				if m != holder && m.entry("p1").turn == schedule.Elsewhere {
					return true
				}
			}
			return false
		})
		changed := *all[2]
		changed.BaseURL = "https://new.example.com/v1"
		holder = l.prober("p2")
		holder.configure(holder.cfg, []*config.Provider{all[0], &changed, all[3], all[4]})
		time.Sleep(10 * time.Second)
		if turn := holder.entry("p2").turn; turn != schedule.Here {
			t.Errorf("the changed provider's turn is %d", turn)
		}
		for _, m := range l.machines {
			m.configure(m.cfg, all[:1])
			time.Sleep(time.Second) // who is the last to list them must know that
		}
		time.Sleep(10 * time.Second)
		for i := range all[1:] {
			fp := l.identity(i + 1).FP.String()
			for _, kind := range []string{wire.Claims, wire.Rows, wire.ModelSet, wire.Refresh} {
				if c, is := l.store.get(kind + fp); is {
					t.Errorf("%s is left: %s", c.Key, c.Value)
				}
			}
		}
	})
}

func TestEngine_PausedAndOfflineGiveTheClaimBack(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		for _, how := range []func(m *machine, out bool){
			func(m *machine, out bool) { m.local.setPaused("p0", out) },
			func(m *machine, out bool) { m.local.setOffline(out) },
		} {
			old := l.prober("p0")
			how(old, true)
			l.until(8*time.Second, "another member probes", func() bool {
				for _, m := range l.here("p0") {
					if m != old {
						return len(l.here("p0")) == 1
					}
				}
				return false
			})
			how(old, false)
			time.Sleep(time.Minute)
			l.prober("p0")
		}
	})
}

func TestEngine_AnAddedProviderHasItsProberAlready(t *testing.T) {
	inLab(t, 3, 3, func(l *lab) {
		m := l.other(l.prober("p2"))
		m.configure(m.cfg, l.providers[:2])
		time.Sleep(time.Minute)
		held := m.engine.Fleet().Counters.Claims
		m.configure(m.cfg, l.providers)
		time.Sleep(10 * time.Second)
		if l.prober("p2") == m {
			t.Error("it claimed what another has")
		}
		if f := m.engine.Fleet(); f.Shared[2].Members != 3 || f.Counters.Claims != held {
			t.Errorf("%+v, %+v", f.Shared[2], f.Counters)
		}
	})
}
