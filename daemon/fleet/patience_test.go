package fleet_test

import (
	"context"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/store/provider"
)

// A slowBus takes a while until it opens a session.
type slowBus struct {
	bus.Bus
	takes time.Duration
}

func (b slowBus) Open(ctx context.Context, own string, value []byte) (bus.Session, error) {
	select {
	case <-time.After(b.takes):
		return b.Bus.Open(ctx, own, value)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// When hundreds of members join at once, each waits for the others. To give up and begin again
// makes them all wait longer.
func TestEngine_JoinsASlowFleet(t *testing.T) {
	inLab(t, 0, 1, func(l *lab) {
		l.wrap = func(b bus.Bus) bus.Bus { return slowBus{b, 12 * time.Second} }
		m := l.boot("gpu0", nil)
		l.until(13*time.Second, "it is a member", func() bool { return m.engine.Mode() == provider.FleetOK })
	})
}

func TestEngine_NewSettingsEndATryToJoin(t *testing.T) {
	inLab(t, 0, 1, func(l *lab) {
		l.wrap = func(b bus.Bus) bus.Bus { return slowBus{b, time.Hour} }
		m := l.boot("gpu0", nil)
		time.Sleep(time.Second)
		m.engine.Configure(nil, l.providers)
		l.until(time.Second, "it has left", func() bool { return m.engine.Mode() == provider.FleetOff })
	})
}
