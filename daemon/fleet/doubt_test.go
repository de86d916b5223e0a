package fleet_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

// limit writes a limit in somebody's name, as any member can.
func (l *lab) limit(by string, wait time.Duration) {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	key := wire.Limits + l.identity(0).Limit.String()
	l.store.put("rogue", key, wire.Limit{By: by, Remaining: wait}.Encode(), l.store.grant(wait), 0)
}

// heldFor watches for how long each machine holds back.
func (l *lab) heldFor(during time.Duration, each func()) map[*machine]time.Duration {
	const step = 20 * time.Second
	held := map[*machine]time.Duration{}
	for began := time.Now(); time.Since(began) < during; time.Sleep(step) {
		each()
		for _, m := range l.machines {
			if m.entry("p0").held.After(time.Now()) {
				held[m] += step
			}
		}
	}
	return held
}

// A limit can be invented again and again, and in any name.
func TestEngine_FalseLimitsAreFoundOut(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		began, n := time.Now(), 0
		held := l.heldFor(24*time.Hour, func() {
			if n++; n%90 == 1 { // each half an hour, before the last one ends
				l.limit(fmt.Sprint("name", n), time.Hour)
			}
		})
		for _, m := range l.machines {
			if held[m] < time.Hour || held[m] > 10*time.Hour {
				t.Errorf("%s was held back for %v of 24 h", m.name, held[m])
			}
		}
		time.Sleep(time.Hour)
		holder := l.prober("p0")
		if n := holder.probes("p0", began); n < 14*60 {
			t.Errorf("%s, the prober, made %d probes", holder.name, n)
		}
		l.play("p0", provider.RateLimited, 10*time.Minute) // a true one is still met by all
		time.Sleep(2 * time.Minute)
		for _, m := range l.machines {
			if e := m.entry("p0"); m == holder && e.row.Reason != provider.RateLimited {
				t.Errorf("%s: %s", m.name, e.row.Reason)
			}
		}
	})
}

func TestEngine_ALongTrueLimitIsCheckedOnce(t *testing.T) {
	inLab(t, 4, 1, func(l *lab) {
		l.play("p0", provider.RateLimited, 12*time.Hour)
		l.prober("p0").local.CheckSoon("p0")
		time.Sleep(time.Second)
		began := time.Now()
		held := l.heldFor(10*time.Hour, func() {})
		for _, m := range l.machines {
			if n := m.probes("p0", began); n > 1 || held[m] < 10*time.Hour-time.Minute {
				t.Errorf("%s made %d probes, and was held back for %v of 10 h", m.name, n, held[m])
			}
		}
	})
}

// A vendor may limit what callers send, and answer probes all the same.
func TestEngine_ShortTrueLimitsAreNotDoubted(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		n := 0
		held := l.heldFor(24*time.Hour, func() {
			if n++; n%6 == 0 {
				l.limit("gpu9", 21*time.Second)
			}
		})
		for _, m := range l.machines {
			if held[m] < 4*time.Hour-time.Minute {
				t.Errorf("%s was held back for %v of 4 h", m.name, held[m])
			}
		}
	})
}

// A member that writes all the time does not keep the others busy.
func TestEngine_FloodsArePaced(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		s, epoch := l.rogue()
		defer l.close(s)
		key := wire.Limits + l.identity(0).Limit.String()
		before := map[*machine]*entry{}
		for _, m := range l.machines {
			before[m] = m.entry("p0")
		}
		const seconds = 60
		for n := range seconds * 20 {
			l.lie(wire.Row{Epoch: epoch, Reason: []provider.Reason{provider.OK, provider.ServerError}[n%2]})
			if n%2 == 0 {
				l.limit("rogue", time.Minute)
			} else {
				l.store.unset(key)
			}
			time.Sleep(50 * time.Millisecond)
		}
		l.store.unset(key)
		time.Sleep(6 * time.Second)
		for _, m := range l.machines {
			e := m.entry("p0")
			if tells, holds := e.tells-before[m].tells, e.holds-before[m].holds; tells > seconds+20 || holds > seconds+20 || tells < 20 || holds < 20 {
				t.Errorf("%s: %d rows and %d limits in %d s", m.name, tells, holds, seconds)
			}
			if e.told.Reason != provider.ServerError || e.held.After(time.Now()) {
				t.Errorf("%s missed the last one: %s, held until %v", m.name, e.told.Reason, e.held)
			}
		}
	})
}

func TestEngine_AFloodOfRefreshesIsPaced(t *testing.T) {
	inLab(t, 2, 1, func(l *lab) {
		holder, s := l.prober("p0"), l.store.dial("rogue")
		rogue, err := s.Open(context.Background(), wire.Members+"rogue", []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.close(rogue)
		go func() {
			for range rogue.Batches() {
			}
		}()
		holder.local.mu.Lock()
		before := holder.local.gen
		holder.local.mu.Unlock()
		for range 60 * 50 {
			_, _ = rogue.Put(context.Background(), wire.Refresh+l.identity(0).FP.String(), wire.Ask{By: "rogue"}.Encode(), true)
			time.Sleep(20 * time.Millisecond)
		}
		holder.local.mu.Lock()
		defer holder.local.mu.Unlock()
		if n := holder.local.gen - before; n > 80 || n < 20 {
			t.Errorf("%d refreshes in a minute", n)
		}
	})
}
