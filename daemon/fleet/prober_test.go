package fleet_test

import (
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

func TestEngine_OneMemberProbesEachProvider(t *testing.T) {
	inLab(t, 5, 8, func(l *lab) {
		probers := map[string]bool{}
		began := time.Now()
		time.Sleep(5 * time.Minute)
		for _, p := range l.providers {
			holder := l.prober(p.ID)
			probers[holder.name] = true
			for _, m := range l.machines {
				n := m.probes(p.ID, began)
				if m == holder && (n < 4 || n > 6) || m != holder && n > 1 {
					t.Errorf("%s made %d probes of %s in 5 minutes; %s is the prober", m.name, n, p.ID, holder.name)
				}
				if row := m.entry(p.ID).row; row.Reason != provider.OK || m != holder && (row.By == nil || *row.By != holder.name) {
					t.Errorf("%s on %s: %+v", p.ID, m.name, row)
				}
			}
		}
		if len(probers) < 3 {
			t.Errorf("%d of 5 members probe", len(probers))
		}
	})
}

func TestEngine_AChangeReachesEveryMember(t *testing.T) {
	inLab(t, 4, 1, func(l *lab) {
		holder := l.prober("p0")
		l.play("p0", provider.ServerError, 0)
		holder.local.Refresh([]string{"p0"}, true)
		l.until(200*time.Millisecond, "everybody knows", func() bool {
			for _, m := range l.machines {
				if m != holder && m.entry("p0").row.Reason != provider.ServerError && m.entry("p0").told.Reason != provider.ServerError {
					return false
				}
			}
			return true
		})
	})
}

func TestEngine_AnotherTakesOverFromOneThatIsGone(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(m *machine)
		within time.Duration
	}{
		"killed":  {(*machine).kill, leaseTTL + 1500*time.Millisecond},
		"stopped": {(*machine).stop, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, 4, 1, func(l *lab) {
				for range 3 {
					old := l.prober("p0")
					claim := wire.Claims + l.identity(0).FP.String()
					was, _ := l.store.get(claim)
					began := time.Now()
					c.end(old)
					if took := time.Since(began); took > time.Second {
						t.Errorf("it ended in %v", took)
					}
					l.until(c.within, "another claims", func() bool {
						is, ok := l.store.get(claim)
						return ok && is.Created > was.Created
					})
					time.Sleep(5 * time.Second)
					for _, m := range l.alive() {
						if row := m.entry("p0").row; row.Reason != provider.OK {
							t.Errorf("%s: %+v", m.name, row)
						}
					}
				}
				l.prober("p0")
			})
		})
	}
}

func TestEngine_AWriteOfADeposedProberChangesNothing(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		old := l.prober("p0")
		old.bus.setFrozen(true)
		time.Sleep(leaseTTL + 3*time.Second)
		row := wire.Rows + l.identity(0).FP.String()
		l.play(old.name+"/p0", provider.ServerError, 0)
		before, _ := l.store.get(row)
		old.local.Refresh([]string{"p0"}, true) // it believes that it is the prober
		time.Sleep(time.Second)
		after, _ := l.store.get(row)
		if r, err := wire.ParseRow(after.Value); err != nil || r.By == old.name {
			t.Errorf("the row is %s, was %s", after.Value, before.Value)
		}
		if n := old.engine.Fleet().Counters.Fenced; n != 1 {
			t.Errorf("%d writes were fenced", n)
		}
		old.bus.setFrozen(false)
		time.Sleep(time.Minute)
		if l.prober("p0") == old {
			t.Error("it is the prober again")
		}
	})
}

// A probe that was in progress when another member turned out to be the prober is no own check.
func TestEngine_AProbeInProgressIsNoOwnCheck(t *testing.T) {
	inLab(t, 1, 1, func(l *lab) {
		const opens = 2 * time.Second
		l.wrap = func(b bus.Bus) bus.Bus {
			return slowBus{b, func(call, _ string) time.Duration {
				if call == "open" {
					return opens
				}
				return 0
			}}
		}
		late := l.boot("late", nil)
		time.Sleep(opens - 20*time.Millisecond)
		late.local.Refresh([]string{"p0"}, true)
		time.Sleep(2 * time.Second)
		if f := late.engine.Fleet(); f.Shared[0].Here || f.Shared[0].OwnChecks != 0 {
			t.Errorf("%+v", f.Shared[0])
		}
	})
}
