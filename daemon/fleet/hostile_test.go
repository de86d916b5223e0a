package fleet_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

// rogue joins as a member that lists all providers, and claims the first.
func (l *lab) rogue() (s bus.Session, epoch int64) {
	l.Helper()
	var tags []wire.Tag
	for i := range l.providers {
		tags = append(tags, l.identity(i).FP.Tag())
	}
	s, err := l.store.dial("rogue").Open(context.Background(), wire.Members+"rogue", wire.EncodeMember(wire.Member{Tags: tags})[0])
	if err != nil {
		l.Fatal(err)
	}
	go func() {
		for range s.Batches() {
		}
	}()
	claim := wire.Claims + l.identity(0).FP.String()
	l.store.unset(claim)
	epoch, won, err := s.Claim(context.Background(), claim, wire.Claim{Member: "rogue"}.Encode())
	if err != nil || !won {
		l.Fatal(won, err)
	}
	return s, epoch
}

// close ends a rogue's session in order.
func (l *lab) close(s bus.Session) {
	if err := s.Close(context.Background()); err != nil {
		l.Error(err)
	}
}

func (l *lab) lie(r wire.Row) {
	r.By, r.State = "rogue", r.Reason.Meaning().State
	l.store.set(wire.Rows+l.identity(0).FP.String(), r.Encode())
}

// young checks that every machine has a row that is true and not too old.
func (l *lab) young() {
	l.Helper()
	for _, m := range l.machines {
		e := m.entry("p0")
		if age := time.Since(e.row.CheckedAt.Time); e.row.Reason != provider.OK || age > toldFor+e.p.Interval {
			l.Errorf("%s: %s, %v old", m.name, e.row.Reason, age)
		}
	}
}

// A prober that hangs, while its lease is renewed.
func TestEngine_AProberThatWritesNoRowIsDeposed(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		s, epoch := l.rogue()
		defer l.close(s)
		l.lie(wire.Row{Epoch: epoch, Reason: provider.OK, Probes: 1})
		time.Sleep(servedWithin - 2*time.Second)
		claim := wire.Claims + l.identity(0).FP.String()
		if c, _ := l.store.get(claim); c.Created != epoch {
			t.Error("it was deposed too early")
		}
		time.Sleep(10 * time.Second)
		l.prober("p0")
		if _, held, err := s.PutFenced(context.Background(), claim, epoch, wire.Rows+l.identity(0).FP.String(), []byte("late")); held || err != nil {
			t.Error("it can still write: ", err)
		}
		l.young()
	})
}

// Members do not fight over a claim that its holder cannot serve now.
func TestEngine_AProberThatHoldsBackIsNotDeposed(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		s, epoch := l.rogue()
		defer l.close(s)
		if _, err := s.PutFor(context.Background(), wire.Limits+l.identity(0).Limit.String(), wire.Limit{By: "rogue", Remaining: 10 * time.Minute}.Encode(), 10*time.Minute); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*time.Minute + 30*time.Second)
		if c, _ := l.store.get(wire.Claims + l.identity(0).FP.String()); c.Created != epoch {
			t.Error("it was deposed")
		}
	})
}

func TestEngine_ARogueThatClaimsAgainAndAgain(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		s, _ := l.rogue()
		defer l.close(s)
		claim := wire.Claims + l.identity(0).FP.String()
		for began := time.Now(); time.Since(began) < 20*time.Minute; time.Sleep(100 * time.Millisecond) {
			if c, is := l.store.get(claim); is && !strings.Contains(string(c.Value), "rogue") {
				l.store.unset(claim)
			}
			_, _, _ = s.Claim(context.Background(), claim, wire.Claim{Member: "rogue"}.Encode())
			l.young()
		}
	})
}

// A machine on which the probe itself fails cannot say anything of a provider to the others.
func TestEngine_WhoCannotProbeDoesNotKeepTheClaim(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		old := l.prober("p0")
		l.play(old.name+"/p0", provider.NetworkUnreachable, 0)
		l.until(75*time.Second, "another member probes", func() bool {
			here := l.here("p0")
			return len(here) == 1 && here[0] != old
		})
		if e := old.entry("p0"); e.turn != schedule.Elsewhere {
			t.Errorf("turn %d", e.turn)
		}
	})
}

func TestEngine_ALiarIsFoundOut(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		l.play("p0", provider.Unauthorized, 0)
		s, epoch := l.rogue()
		defer l.close(s)
		for n := range 60 {
			l.lie(wire.Row{Epoch: epoch, Reason: provider.OK, Probes: uint64(n)})
			time.Sleep(time.Minute)
		}
		for _, m := range l.machines {
			if e := m.entry("p0"); e.row.Reason != provider.Unauthorized && e.own != provider.Unauthorized {
				t.Errorf("%s believes it after an hour: %+v", m.name, e.row)
			}
			if f := m.engine.Fleet(); !f.Shared[0].Disagrees {
				t.Errorf("%s does not show that it disagrees", m.name)
			}
		}
	})
}

// A prober that jumps in its count of probes must not make the others probe all the time.
func TestEngine_ALiarCannotCauseManyChecks(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		s, epoch := l.rogue()
		defer l.close(s)
		began := time.Now()
		for n := range uint64(3000) {
			l.lie(wire.Row{Epoch: epoch, Reason: provider.OK, Probes: n * 1e6, Refresh: int64(n % 2)})
			time.Sleep(200 * time.Millisecond)
		}
		for _, m := range l.machines {
			if n := m.probes("p0", began); n > 12 {
				t.Errorf("%s made %d probes in 10 minutes", m.name, n)
			}
		}
	})
}

// What a prober says of refreshes ends with it: later ones are answered by probes again.
func TestEngine_ALiarCannotAnswerFutureRefreshes(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		s, epoch := l.rogue()
		l.lie(wire.Row{Epoch: epoch, Reason: provider.OK, Probes: 1, Refresh: math.MaxInt64})
		time.Sleep(time.Second)
		l.close(s)
		time.Sleep(2 * time.Minute)
		l.prober("p0")
		for _, m := range l.machines {
			began := time.Now()
			gen := m.local.Refresh([]string{"p0"}, false).Generation
			l.until(3*time.Second, "an answer", func() bool { return m.entry("p0").row.Generation >= gen })
			if at := m.entry("p0").row.CheckedAt; at.Before(began.Add(-probeTakes)) {
				t.Errorf("%s: answered by a probe %v before the request", m.name, began.Sub(at.Time))
			}
		}
	})
}

// A claim in a member's name that it did not make, and one of nobody. It has no lease.
func TestEngine_ForgedClaimsAreRemoved(t *testing.T) {
	for _, value := range []string{"", "x", `{"member":"gpu0"}`, `{"member":"nobody"}`, `{"member":"\u001b[2J"}`, strings.Repeat("x", 1<<20)} {
		inLab(t, 3, 1, func(l *lab) {
			claim := wire.Claims + l.identity(0).FP.String()
			l.store.unset(claim)
			l.store.set(claim, []byte(value))
			for range 40 {
				time.Sleep(4 * time.Second)
				l.young()
			}
			l.prober("p0")
		})
	}
}

func TestEngine_GarbageIsIgnored(t *testing.T) {
	inLab(t, 3, 2, func(l *lab) {
		holder := l.prober("p0")
		values := [][]byte{{}, []byte("null"), []byte("[]"), []byte("{}"), []byte(`{"member":1}`), {0xff, 0xfe}, bytes.Repeat([]byte("["), 4096), bytes.Repeat([]byte("x"), 1<<20)}
		for _, kind := range []string{wire.Rows, wire.ModelSet, wire.Limits, wire.Refresh, wire.Members, wire.Hosts, "later/", ""} {
			for _, name := range []string{l.identity(0).FP.String(), l.identity(0).Limit.String(), "x", "", "a/b", "gpu9", "gpu9/1", "\x1b[2J", strings.Repeat("z", 300)} {
				for _, v := range values {
					l.store.set(kind+name, v)
				}
			}
			time.Sleep(time.Second)
		}
		time.Sleep(2 * time.Minute)
		if l.prober("p0") != holder {
			t.Error("another prober")
		}
		for _, m := range l.machines {
			if e := m.entry("p0"); e.row.Reason != provider.OK || m.engine.Mode() != provider.FleetOK {
				t.Errorf("%s: %+v, %s", m.name, e.row, m.engine.Mode())
			}
		}
		if holder.engine.Fleet().Counters.Refused == 0 {
			t.Error("nothing was counted as refused")
		}
	})
}
