package fleet_test

import (
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

// A member that contradicts itself all the time is heard once a second, and what it said last
// counts.
func TestEngine_AStormOfRowsIsHeardOnceASecond(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		s, epoch := l.rogue()
		defer l.close(s)
		before := map[*machine]int{}
		for _, m := range l.machines {
			before[m] = m.entry("p0").tells
		}
		reasons := []provider.Reason{provider.OK, provider.ServerError}
		for n := range 2999 {
			l.lie(wire.Row{Epoch: epoch, Reason: reasons[n%2], Probes: 1})
			time.Sleep(10 * time.Millisecond)
		}
		l.lie(wire.Row{Epoch: epoch, Reason: provider.ServerError, Probes: 1})
		for _, m := range l.machines {
			if n := m.entry("p0").tells - before[m]; n < 20 || n > 36 {
				t.Errorf("%s: its scheduler was told %d times in 30 s", m.name, n)
			}
		}
		time.Sleep(2 * time.Second)
		for _, m := range l.machines {
			if e := m.entry("p0"); e.told == nil || e.told.Reason != provider.ServerError {
				t.Errorf("%s did not hear the last word: %+v", m.name, e.told)
			}
		}
	})
}

// The same goes for a limit that begins and ends all the time.
func TestEngine_AStormOfLimitsIsHeardOnceASecond(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		key, value := wire.Limits+l.identity(0).Limit.String(), wire.Limit{By: "rogue", Remaining: time.Minute}.Encode()
		for _, last := range []bool{true, false} {
			before := map[*machine]int{}
			for _, m := range l.machines {
				before[m] = m.entry("p0").holds
			}
			for range 1500 {
				l.store.set(key, value)
				time.Sleep(10 * time.Millisecond)
				l.store.unset(key)
				time.Sleep(10 * time.Millisecond)
			}
			if last {
				l.store.set(key, value)
			}
			for _, m := range l.machines {
				if n := m.entry("p0").holds - before[m]; n < 20 || n > 36 {
					t.Errorf("%s: its scheduler was held %d times in 30 s", m.name, n)
				}
			}
			time.Sleep(2 * time.Second)
			for _, m := range l.machines {
				if held := m.entry("p0").held.After(time.Now()); held != last {
					t.Errorf("%s: held: %t, want %t", m.name, held, last)
				}
			}
		}
	})
}

// A few words in succession, as an honest prober has them, do not wait.
func TestEngine_AFewWordsDoNotWait(t *testing.T) {
	inLab(t, 2, 1, func(l *lab) {
		holder := l.prober("p0")
		other := l.other(holder)
		for _, reason := range []provider.Reason{provider.ServerError, provider.Unauthorized, provider.OK} {
			l.play("p0", reason, 0)
			holder.local.Refresh([]string{"p0"}, true)
			l.until(200*time.Millisecond, "the other's word", func() bool { return other.entry("p0").told.Reason == reason })
		}
	})
}
