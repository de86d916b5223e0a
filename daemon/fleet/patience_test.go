package fleet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

// When hundreds of members join at once, each waits for the others. To give up and begin again
// makes them all wait longer.
func TestEngine_JoinsASlowFleet(t *testing.T) {
	inLab(t, 0, 1, func(l *lab) {
		l.wrap = func(b bus.Bus) bus.Bus { return slowToOpen(b, 12*time.Second) }
		m := l.boot("gpu0", nil)
		l.until(13*time.Second, "it is a member", func() bool { return m.engine.Mode() == provider.FleetOK })
	})
}

func TestEngine_NewSettingsEndATryToJoin(t *testing.T) {
	inLab(t, 0, 1, func(l *lab) {
		l.wrap = func(b bus.Bus) bus.Bus { return slowToOpen(b, time.Hour) }
		m := l.boot("gpu0", nil)
		time.Sleep(time.Second)
		m.engine.Configure(nil, l.providers)
		l.until(time.Second, "it has left", func() bool { return m.engine.Mode() == provider.FleetOff })
	})
}

func slowToOpen(b bus.Bus, by time.Duration) bus.Bus {
	return slowBus{b, func(call, _ string) time.Duration {
		if call == "open" {
			return by
		}
		return 0
	}}
}

// Each write of a member is one to all others. If all of hundreds come back at once, they would
// keep each other from it.
func TestEngine_WritesLittleAfterEtcdWasAway(t *testing.T) {
	inLab(t, 5, 3, func(l *lab) {
		prober := l.prober("p0")
		before, _ := l.store.get(wire.Claims + l.identity(0).FP.String())
		l.store.stop(true)
		time.Sleep(time.Minute)
		for _, m := range l.machines {
			if mode := m.engine.Mode(); mode != provider.FleetAlone {
				t.Errorf("%s is %s", m.name, mode)
			}
		}
		l.store.mu.Lock()
		l.store.writes = 0
		members := 0
		l.store.written = func(_ string, c bus.Change, _ int64) {
			if strings.HasPrefix(c.Key, wire.Members) {
				members++
			}
		}
		l.store.mu.Unlock()
		l.store.stop(false)
		time.Sleep(time.Minute)
		after, _ := l.store.get(wire.Claims + l.identity(0).FP.String())
		if l.prober("p0") != prober || after.Created != before.Created {
			t.Errorf("the claim changed: %+v, %+v", before, after)
		}
		for _, m := range l.machines {
			if mode := m.engine.Mode(); mode != provider.FleetOK {
				t.Errorf("%s is %s", m.name, mode)
			}
		}
		l.store.mu.Lock()
		defer l.store.mu.Unlock()
		t.Log(l.store.writes, "writes")
		if members > 0 {
			t.Errorf("members joined %d times", members)
		}
	})
}
