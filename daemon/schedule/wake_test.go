package schedule

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A probe that ends plans the next without waking Run, which only wakes for what is due and to check
// this machine.
func TestScheduler_AnEndedProbeDoesNotWakeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const providers, rounds = 100, 10
		var looks atomic.Int64 // one as each probe ends, and one each time that Run wakes
		w := newHarness(t, Options{Wall: func() time.Time { looks.Add(1); return time.Now() }}).run()
		var list []config.Provider
		for i := range providers {
			p := settings(fmt.Sprintf("p%d", i))
			w.play(p.ID, takes(time.Duration(i)*time.Millisecond))
			list = append(list, p)
		}
		w.apply(list...)
		time.Sleep(time.Minute)
		from, was := looks.Load(), w.Stats()
		time.Sleep(rounds * list[0].Interval)
		is := w.Stats()
		probes := int64(is.Probes() - was.Probes())
		if probes < (rounds-1)*providers {
			t.Fatalf("%d probes of %d providers in %d rounds", probes, providers, rounds)
		}
		if woken := looks.Load() - from - probes; woken > probes/2 {
			t.Errorf("it woke %d times for %d probes", woken, probes)
		}
	})
}

// What is due sooner than everything else does not have to wait.
func TestScheduler_WakesForWhatIsDueSooner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{}).run()
		slow := settings("slow")
		slow.Interval = time.Hour
		w.apply(slow)
		time.Sleep(2 * time.Hour)
		for range 3 {
			time.Sleep(7 * time.Second)
			before, now := len(w.probes("slow")), time.Now()
			w.Refresh(nil, false)
			synctest.Wait()
			if began := w.probes("slow"); len(began) != before+1 || !began[before].Equal(now) {
				t.Errorf("refreshed at %v, probed at %v", now, began[before:])
			}
		}
	})
}

// takes is a good answer after that time.
func takes(d time.Duration) func(context.Context, int) probe.Observation {
	return func(context.Context, int) probe.Observation {
		time.Sleep(d)
		return probe.Observation{Saw: provider.OK, Latency: d + 1}
	}
}
