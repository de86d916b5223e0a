package fleet_test

import (
	"fmt"
	"testing"
	"time"
)

// What a large fleet writes is what its providers need, whatever its size.
func TestEngine_ALargeFleetWritesLittle(t *testing.T) {
	if testing.Short() {
		t.Skip("120 members")
	}
	inLab(t, 0, 20, func(l *lab) {
		for i := range 120 {
			l.boot(fmt.Sprint("gpu", i), nil)
			if i%10 == 9 {
				time.Sleep(time.Second)
			}
		}
		time.Sleep(3 * time.Minute)
		l.store.mu.Lock()
		l.store.writes = 0
		l.store.mu.Unlock()
		const minutes = 10
		began := time.Now()
		time.Sleep(minutes * time.Minute)
		l.store.mu.Lock()
		writes := l.store.writes
		l.store.mu.Unlock()
		if perSecond := float64(writes) / (minutes * 60); perSecond > 1 {
			t.Errorf("%.2f writes per second", perSecond)
		}
		sum := 0
		for _, p := range l.providers {
			l.prober(p.ID)
			for _, m := range l.machines {
				sum += m.probes(p.ID, began)
			}
		}
		if limit := len(l.providers) * minutes * 12 / 10; sum > limit {
			t.Errorf("%d probes in %d minutes, want at most %d", sum, minutes, limit)
		}
	})
}
