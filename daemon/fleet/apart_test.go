package fleet_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

func TestEngine_CutOffProbesAloneAndComesBackQuietly(t *testing.T) {
	inLab(t, 4, 2, func(l *lab) {
		for _, m := range []*machine{l.prober("p0"), l.other(l.prober("p0"))} {
			events := len(m.entry("p0").changes)
			m.bus.setCut(true)
			l.until(keepAlive+unanswered+2*time.Second, "it is alone", func() bool { return m.engine.Mode() == provider.FleetAlone })
			began := time.Now()
			time.Sleep(10 * time.Minute)
			if n := m.probes("p0", began); n < 9 || n > 12 {
				t.Errorf("%s made %d probes in 10 minutes alone", m.name, n)
			}
			if here := l.here("p0"); len(here) != 2 {
				t.Errorf("%d probers, want one on each side", len(here))
			}
			m.bus.setCut(false)
			l.until(45*time.Second, "it is back", func() bool { return m.engine.Mode() == provider.FleetOK })
			time.Sleep(10 * time.Second)
			l.prober("p0")
			if all := m.entry("p0").changes[events:]; len(all) != 0 {
				t.Errorf("%s saw %v", m.name, all)
			}
		}
	})
}

func TestEngine_WithoutTheStoreEachMemberProbes(t *testing.T) {
	inLab(t, 16, 2, func(l *lab) {
		l.store.stop(true)
		time.Sleep(time.Minute)
		began := time.Now()
		time.Sleep(20 * time.Minute)
		for _, m := range l.machines {
			if m.engine.Mode() != provider.FleetAlone {
				t.Errorf("%s is %s", m.name, m.engine.Mode())
			}
			for _, p := range l.providers { // 16 members: twice the interval
				if n := m.probes(p.ID, began); n < 8 || n > 12 {
					t.Errorf("%s made %d probes of %s in 20 minutes", m.name, n, p.ID)
				}
			}
		}
		l.store.stop(false)
		time.Sleep(90 * time.Second)
		for _, p := range l.providers {
			l.prober(p.ID)
		}
	})
}

// Intervals are longer for as many as share the provider, not for as many as are members.
func TestEngine_AloneWithWhatFewShare(t *testing.T) {
	inLab(t, 2, 2, func(l *lab) {
		all := l.providers
		l.providers = all[:1]
		for i := range 14 {
			l.boot(fmt.Sprint("other", i), nil)
		}
		l.providers = all
		time.Sleep(30 * time.Second)
		l.store.stop(true)
		time.Sleep(2 * time.Minute)
		began := time.Now()
		time.Sleep(20 * time.Minute)
		for _, m := range l.machines[:2] {
			if n := m.probes("p1", began); n < 18 || n > 22 {
				t.Errorf("%s made %d probes of p1 in 20 minutes", m.name, n)
			}
			if n := m.probes("p0", began); n < 8 || n > 12 {
				t.Errorf("%s made %d probes of p0 in 20 minutes", m.name, n)
			}
			if f := m.engine.Fleet(); f.StretchedIntervals != 2 {
				t.Errorf("%s: stretched %v times", m.name, f.StretchedIntervals)
			}
		}
	})
}

func TestEngine_ATakenNameIsTriedQuietlyAndThenHinted(t *testing.T) {
	inLab(t, 1, 1, func(l *lab) {
		l.machines[0].kill()
		again := l.boot("gpu0", nil) // a restart after a crash
		time.Sleep(2 * time.Second)
		if f := again.engine.Fleet(); f.Mode != provider.FleetConnecting || !strings.Contains(f.Why, "the name gpu0 is taken") || f.Hint == "" {
			t.Errorf("%s, %q, %q", f.Mode, f.Why, f.Hint)
		}
		l.until(25*time.Second, "it is a member", func() bool { return again.engine.Mode() == provider.FleetOK })
		second := l.boot("gpu0", nil)
		time.Sleep(time.Minute)
		f := second.engine.Fleet()
		if f.Mode != provider.FleetAlone || f.Hint == "" || f.Why == "" {
			t.Errorf("%s, %q, %q", f.Mode, f.Why, f.Hint)
		}
		if again.engine.Mode() != provider.FleetOK {
			t.Error("the first lost its name")
		}
		again.stop()
		l.until(45*time.Second, "the second joins", func() bool { return second.engine.Mode() == provider.FleetOK })
	})
}

// forgetful loses the answers of calls that were carried out.
type forgetful struct {
	bus.Session
	claims int // whose answer is lost
}

func (f *forgetful) Claim(ctx context.Context, key string, value []byte) (int64, bool, error) {
	rev, won, err := f.Session.Claim(ctx, key, value)
	if f.claims > 0 {
		f.claims--
		return 0, false, context.DeadlineExceeded
	}
	return rev, won, err
}

func (f *forgetful) DeleteFenced(context.Context, string, int64, ...string) (bool, error) {
	return false, context.DeadlineExceeded // and nothing is done
}

type forgetfulBus struct{ bus.Bus }

func (b forgetfulBus) Open(ctx context.Context, own string, value []byte) (bus.Session, error) {
	s, err := b.Bus.Open(ctx, own, value)
	if err != nil {
		return nil, err
	}
	return &forgetful{s, 1}, nil
}

func TestEngine_AClaimWhoseAnswerIsLostIsHeld(t *testing.T) {
	inLab(t, 0, 1, func(l *lab) {
		l.wrap = func(b bus.Bus) bus.Bus { return forgetfulBus{b} }
		l.boot("gpu0", nil)
		l.boot("gpu1", nil)
		time.Sleep(30 * time.Second)
		holder := l.prober("p0")
		if _, is := l.store.get(wire.Rows + l.identity(0).FP.String()); !is {
			t.Error("no row is written")
		}
		holder.local.setPaused("p0", true) // it cannot give the claim back
		time.Sleep(time.Minute)
		holder.local.setPaused("p0", false)
		time.Sleep(4 * time.Minute)
		if l.prober("p0") != holder {
			t.Error("another prober")
		}
		if turn := l.other(holder).entry("p0").turn; turn != schedule.Elsewhere {
			t.Errorf("turn %d", turn)
		}
	})
}
