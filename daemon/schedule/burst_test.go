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

// If many probes are due at once, a burst of them is in progress at a time while servers answer.
// Servers that do not answer delay the others only briefly.
func TestScheduler_DueAtOnce(t *testing.T) {
	const providers = 10 * burst
	for _, test := range []struct {
		name     string
		takes    time.Duration
		atOnce   int64         // at most
		allBegun time.Duration // within
	}{
		{"TheyAnswer", burstWait / 20, burst, burstWait},
		{"TheyAnswerLate", 3 * burstWait, 7 * burst, 12 * burstWait},
		{"TheyHang", 8 * time.Second, providers, 12 * burstWait},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newHarness(t, Options{})
				var now, most, takes atomic.Int64
				var list []config.Provider
				for i := range providers {
					p := settings(fmt.Sprintf("p%d", i))
					list = append(list, p)
					w.play(p.ID, func(context.Context, int) probe.Observation {
						defer now.Add(-1)
						n := now.Add(1)
						for was := most.Load(); was < n && !most.CompareAndSwap(was, n); was = most.Load() {
						}
						time.Sleep(time.Duration(takes.Load()))
						return probe.Observation{Saw: provider.OK}
					})
				}
				w.apply(list...)
				w.run()
				time.Sleep(30 * time.Second)
				most.Store(0)
				takes.Store(int64(test.takes))
				asked := time.Now()
				w.Refresh(nil, false)
				time.Sleep(20 * time.Second)
				for _, p := range list {
					late := true
					for _, began := range w.probes(p.ID) {
						late = late && (began.Before(asked) || began.Sub(asked) > test.allBegun)
					}
					if late {
						t.Errorf("%s: no probe began within %s", p.ID, test.allBegun)
					}
				}
				if n := most.Load(); n > test.atOnce {
					t.Errorf("%d under way at once, want at most %d", n, test.atOnce)
				}
			})
		})
	}
}

// However many wait for a slot in the lane of hanging providers, they delay nobody else.
func TestScheduler_DueBehindAFullLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hanging, lane = 20 * burst, 8
		w := newHarness(t, Options{Lane: lane})
		var takes atomic.Int64
		var list []config.Provider
		var ids []string
		for i := range hanging {
			p := settings(fmt.Sprintf("p%d", i))
			list, ids = append(list, p), append(ids, p.ID)
			w.play(p.ID, func(context.Context, int) probe.Observation {
				time.Sleep(time.Duration(takes.Load()))
				return probe.Observation{Saw: provider.Hung}
			})
		}
		w.apply(append(list, settings("well"))...)
		w.run()
		time.Sleep(30 * time.Second) // all are known for what they are, and nobody waits
		for last := w.probes(ids[0]); time.Since(last[len(last)-1]) < minGap; last = w.probes(ids[0]) {
			time.Sleep(10 * time.Millisecond)
		}
		takes.Store(int64(time.Minute))
		w.Refresh(ids, false)
		time.Sleep(time.Millisecond)
		asked := time.Now()
		w.Refresh([]string{"well"}, false)
		time.Sleep(burstWait)
		if began := w.probes("well"); began[len(began)-1].Before(asked) {
			t.Errorf("no probe began within %s", burstWait)
		}
		if n := w.Stats().Waiting; n < burst {
			t.Errorf("%d wait for a place: there was nobody to be behind", n)
		}
	})
}
