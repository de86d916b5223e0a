package schedule

import (
	"sync/atomic"
	"time"

	"github.com/providerd/providerd/store"
)

// latencies counts how long answers took. Nobody waits for it: one that is added
// while it is read may be in the count already, and in the sum not yet.
type latencies struct {
	within [len(store.Steps) + 1]atomic.Uint64 // by [store.StepOf]
	sum    atomic.Int64                        // ns
}

func (l *latencies) add(took time.Duration) {
	l.within[store.StepOf(took)].Add(1)
	l.sum.Add(int64(took))
}

// read adds the steps up, so that what it returns never has fewer in all than in them.
func (l *latencies) read() (d store.Durations) {
	for i := range d.Within {
		d.Within[i] = l.within[i].Load()
		d.Count += d.Within[i]
	}
	d.Count += l.within[len(d.Within)].Load()
	d.Sum = time.Duration(l.sum.Load())
	return d
}

// KeepLatencies says whether latencies are counted of each provider too, from now
// on; those of each kind are counted in any case.
func (s *Scheduler) KeepLatencies(each bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.eachLatency == each {
		return
	}
	s.eachLatency = each
	for _, e := range s.entries {
		s.beginLatencies(e)
	}
}

// beginLatencies forgets what was counted of a provider's latencies.
func (s *Scheduler) beginLatencies(e *entry) {
	if s.eachLatency {
		e.latencies.Store(new(latencies))
	} else {
		e.latencies.Store(nil)
	}
}
