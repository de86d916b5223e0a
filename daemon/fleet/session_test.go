package fleet_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

// A slowBus delays calls before they are made.
type slowBus struct {
	bus.Bus
	delay func(call, key string) time.Duration
}

func (b slowBus) Open(ctx context.Context, own string, value []byte) (bus.Session, error) {
	pause(ctx, b.delay("open", own))
	s, err := b.Bus.Open(ctx, own, value)
	if err != nil {
		return nil, err
	}
	return slowSession{s, b.delay}, nil
}

type slowSession struct {
	bus.Session
	delay func(call, key string) time.Duration
}

func (s slowSession) Put(ctx context.Context, key string, value []byte, leased bool) (int64, error) {
	pause(ctx, s.delay("put", key))
	return s.Session.Put(ctx, key, value, leased)
}

func (s slowSession) Delete(ctx context.Context, keys ...string) error {
	pause(ctx, s.delay("delete", keys[0]))
	return s.Session.Delete(ctx, keys...)
}

func (s slowSession) DeleteFenced(ctx context.Context, claim string, epoch int64, keys ...string) (bool, error) {
	pause(ctx, s.delay("delete", claim))
	return s.Session.DeleteFenced(ctx, claim, epoch, keys...)
}

// Nobody has to clean up after members that are gone, even if those that share a provider all go
// at the same moment.
func TestEngine_NothingIsLeftOfMembersThatAreGone(t *testing.T) {
	for name, end := range map[string]func(m *machine){
		"stopped": (*machine).stop,
		"killed":  (*machine).kill,
		"removed": func(m *machine) { m.configure(nil, m.providers) },
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, 2, 2, func(l *lab) {
				for _, m := range l.machines {
					m.local.Refresh([]string{"p0", "p1"}, false)
				}
				time.Sleep(time.Minute)
				var all sync.WaitGroup
				for _, m := range l.machines {
					all.Go(func() { end(m) })
				}
				all.Wait()
				time.Sleep(time.Minute)
				l.store.mu.Lock()
				defer l.store.mu.Unlock()
				for key, c := range l.store.keys {
					t.Errorf("%s is left: %s", key, c.Value)
				}
			})
		})
	}
}

// A claim that is given back late may be another member's by then.
func TestEngine_AClaimIsDeletedByItsHolderAlone(t *testing.T) {
	inLab(t, 0, 1, func(l *lab) {
		var deleting atomic.Bool
		l.wrap = func(b bus.Bus) bus.Bus {
			return slowBus{b, func(call, _ string) time.Duration {
				if call != "delete" {
					return 0
				}
				deleting.Store(true)
				return 2 * time.Second
			}}
		}
		l.boot("gpu0", nil)
		l.boot("gpu1", nil)
		time.Sleep(30 * time.Second)
		old := l.prober("p0")
		next := l.other(old)
		old.local.setPaused("p0", true)
		l.until(6*time.Second, "it gives the claim back", deleting.Load)
		claim := wire.Claims + l.identity(0).FP.String()
		l.store.unset(claim)
		l.until(1800*time.Millisecond, "another member claims", func() bool {
			c, is := l.store.get(claim)
			return is && strings.Contains(string(c.Value), next.name)
		})
		taken, _ := l.store.get(claim)
		time.Sleep(time.Minute)
		if c, is := l.store.get(claim); !is || c.Created != taken.Created {
			t.Errorf("the claim was deleted; now: %+v", c)
		}
	})
}

// What a member lists must be known to the others, whenever it was configured.
func TestEngine_AReloadWhileASessionOpensIsAnnounced(t *testing.T) {
	inLab(t, 1, 3, func(l *lab) {
		l.wrap = func(b bus.Bus) bus.Bus {
			return slowBus{b, func(call, _ string) time.Duration {
				if call == "open" {
					return time.Second
				}
				return 0
			}}
		}
		all := l.providers
		l.providers = all[:1]
		late := l.boot("late", nil)
		time.Sleep(500 * time.Millisecond)
		late.configure(late.cfg, all)
		l.providers = all
		time.Sleep(10 * time.Second)
		for _, m := range l.machines {
			for _, s := range m.engine.Fleet().Shared {
				if s.Members != 2 {
					t.Errorf("%s: %d members have %s", m.name, s.Members, s.ID)
				}
			}
		}
	})
}

// Of two reloads in quick succession, the last one counts, although the first write may be slow.
func TestEngine_TheLastReloadIsTheOneAnnounced(t *testing.T) {
	inLab(t, 1, 3, func(l *lab) {
		slow := true
		l.wrap = func(b bus.Bus) bus.Bus {
			return slowBus{b, func(call, key string) time.Duration {
				if call != "put" || !strings.HasPrefix(key, wire.Members) || !slow {
					return 0
				}
				slow = false
				return time.Second
			}}
		}
		m := l.boot("gpu1", nil)
		time.Sleep(10 * time.Second)
		for _, providers := range [][]*config.Provider{l.providers[:1], l.providers} {
			m.configure(m.cfg, providers)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		if f := l.machines[0].engine.Fleet(); slow || f.Mode != provider.FleetOK || f.Shared[2].Members != 2 {
			t.Errorf("%d members have p2", f.Shared[2].Members)
		}
	})
}

// Somebody deletes what a member writes to join, again and again. Each try reads all keys, and is
// told to all others.
func TestEngine_JoinsThatDoNotLastBecomeRare(t *testing.T) {
	inLab(t, 2, 1, func(l *lab) {
		m, joins := l.machines[0], 0
		l.store.mu.Lock()
		l.store.written = func(_ string, c bus.Change, _ int64) {
			if c.Key == wire.Members+m.name {
				joins++
				time.AfterFunc(50*time.Millisecond, func() {
					l.store.mu.Lock()
					defer l.store.mu.Unlock()
					l.store.revoke(c.Lease)
				})
			}
		}
		l.store.revoke(l.store.keys[wire.Members+m.name].Lease)
		l.store.mu.Unlock()
		time.Sleep(20 * time.Minute)
		if e := m.entry("p0"); e.row.Reason != provider.OK || time.Since(e.row.CheckedAt.Time) > toldFor {
			t.Errorf("%+v", e.row)
		}
		l.store.mu.Lock()
		if l.store.written = nil; joins < 20 || joins > 110 {
			t.Errorf("%d joins in 20 minutes", joins)
		}
		l.store.mu.Unlock()
		l.until(45*time.Second, "it is a member", func() bool { return m.engine.Mode() == provider.FleetOK })
		time.Sleep(2 * time.Minute)
		l.prober("p0")
	})
}
