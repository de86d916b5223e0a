package fleet_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

// Whatever happens to members and store, each machine knows each of its providers. Once it is
// quiet for a while, one member probes each, and all know the truth.
func TestEngine_AnyTroubleEndsInOneProber(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inLab(t, 6, 4, func(l *lab) { l.trouble(rand.New(rand.NewPCG(seed, 3))) })
		})
	}
}

func (l *lab) trouble(r *rand.Rand) {
	all := l.providers
	reasons := []provider.Reason{provider.OK, provider.OK, provider.ServerError, provider.Unauthorized}
	l.store.mu.Lock()
	l.store.written = func(by string, c bus.Change, fence int64) {
		if k, ok := wire.ParseKey(c.Key); ok && k.Kind == wire.Rows && fence != l.store.keys[wire.Claims+k.FP.String()].Created {
			l.Errorf("%s wrote %s without its claim", by, c.Key)
		}
	}
	l.store.mu.Unlock()
	for range 60 {
		alive := l.alive()
		m := alive[r.IntN(len(alive))]
		p := all[r.IntN(len(all))]
		switch r.IntN(12) {
		case 0, 1:
			m.bus.setCut(true)
		case 2, 3:
			m.bus.setCut(false)
		case 4:
			m.bus.setFrozen(true)
		case 5:
			m.bus.setFrozen(false)
		case 6:
			if len(alive) > 2 {
				m.kill()
				l.boot(m.name, nil)
			}
		case 7:
			if len(alive) > 2 {
				m.stop()
				l.boot(m.name, nil)
			}
		case 8:
			l.store.stop(r.IntN(2) == 0)
		case 9:
			next := *m.cfg
			switch r.IntN(4) {
			case 0:
				m.configure(nil, all)
			case 1:
				m.configure(&next, all[:3])
			case 2:
				next.Trust = config.Follow
				m.configure(&next, all)
			default:
				m.configure(m.cfg, all)
			}
		case 10:
			l.play(p.ID, reasons[r.IntN(len(reasons))], 0)
		case 11:
			m.local.Refresh([]string{"p0", "p1", "p2"}, false)
		}
		time.Sleep(time.Duration(r.Int64N(int64(20 * time.Second))))
		l.everybodyKnows()
	}
	l.store.stop(false)
	for _, m := range l.alive() {
		m.bus.setCut(false)
		m.bus.setFrozen(false)
		m.configure(m.cfg, all)
	}
	time.Sleep(3 * time.Minute) // own contrary evidence is checked again
	for _, p := range all {
		holder := l.prober(p.ID)
		truth, _ := l.answer("", p.ID)
		for _, m := range l.alive() {
			if e := m.entry(p.ID); e.row.Reason != truth {
				l.Errorf("%s on %s is %s, want %s; the prober is %s", p.ID, m.name, e.row.Reason, truth, holder.name)
			}
		}
	}
}

// everybodyKnows checks that no machine is left without a row that is young enough.
func (l *lab) everybodyKnows() {
	l.Helper()
	for _, m := range l.alive() {
		for _, p := range l.providers[:3] {
			e := m.entry(p.ID)
			if e.row != nil && time.Since(e.row.CheckedAt.Time) > toldFor+p.Interval+5*time.Second { // that of a machine that becomes alone
				l.Errorf("%s on %s is %v old; %s, turn %d", p.ID, m.name, time.Since(e.row.CheckedAt.Time), m.engine.Mode(), e.turn)
			}
		}
	}
}
