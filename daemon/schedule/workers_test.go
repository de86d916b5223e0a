package schedule

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A goroutine that has run a probe runs others, and few goroutines wait for that.
func TestScheduler_GoroutinesRunManyProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const providers, rounds = 2 * mostResting, 10
		var mu sync.Mutex
		ran := map[string]int{} // probes by goroutine
		w := newHarness(t, Options{}).run()
		var list []config.Provider
		for i := range providers {
			p := settings(fmt.Sprintf("p%d", i))
			w.play(p.ID, func(context.Context, int) probe.Observation {
				mu.Lock()
				ran[goroutine()]++
				mu.Unlock()
				time.Sleep(time.Second)
				return probe.Observation{Saw: provider.OK}
			})
			list = append(list, p)
		}
		w.apply(list...)
		for range rounds {
			time.Sleep(list[0].Interval)
			w.Refresh(nil, false) // all at once
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if resting := w.work.resting.Load(); resting > mostResting { // the runtime has goroutines of its own
			t.Errorf("%d goroutines rest, want at most %d", resting, mostResting)
		}
		probes := 0
		for _, n := range ran {
			probes += n
		}
		// Half of each round find a resting worker, the first round none.
		if most := probes/2 + mostResting; len(ran) > most || probes < rounds*providers {
			t.Errorf("%d goroutines for %d probes, want at most %d", len(ran), probes, most)
		}
	})
}

// goroutine is the id of the calling goroutine.
func goroutine() string {
	room := make([]byte, 64)
	name, _, _ := bytes.Cut(room[:runtime.Stack(room, false)], []byte(" ["))
	return string(name)
}

// BenchmarkWorkers runs the probes of a tick at once, each with a stack as deep as that of a probe, in
// used goroutines and in new ones.
func BenchmarkWorkers(b *testing.B) {
	work := newWorkers()
	defer work.wait()
	defer work.end()
	var fresh sync.WaitGroup
	for name, run := range map[string]func(func()){"Reused": work.run, "New": fresh.Go} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				var tick sync.WaitGroup
				for range 64 {
					tick.Add(1)
					run(func() {
						descend(24)
						tick.Done()
					})
				}
				tick.Wait()
			}
		})
	}
}

// descend uses a quarter of a KiB of stack for each step.
//
//go:noinline
func descend(steps int) (n byte) {
	var room [256]byte
	if steps > 0 {
		room[steps] = descend(steps - 1)
	}
	return room[0] + room[steps]
}
