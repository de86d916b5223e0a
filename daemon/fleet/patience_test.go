package fleet_test

import (
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
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
