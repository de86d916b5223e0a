package schedule

import (
	"sync/atomic"
	"time"

	"github.com/providerd/providerd/store"
)

// latencies counts how long answers took. It has no lock: a latency that is added during a
// read may already be in the count but not yet in the sum.
type latencies struct {
	within [len(store.Steps) + 1]atomic.Uint64 // by [store.StepOf]
	sum    atomic.Int64                        // ns
}

func (l *latencies) add(took time.Duration) {
	l.within[store.StepOf(took)].Add(1)
	l.sum.Add(int64(took))
}

// read adds up the steps, so that the total it returns is never less than their sum.
func (l *latencies) read() (d store.Durations) {
	for i := range d.Within {
		d.Within[i] = l.within[i].Load()
		d.Count += d.Within[i]
	}
	d.Count += l.within[len(d.Within)].Load()
	d.Sum = time.Duration(l.sum.Load())
	return d
}

// KeepLatencies sets whether latencies are counted for each provider too, from now on; those
// of each kind are always counted.
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

// beginLatencies resets the counts of a provider's latencies.
func (s *Scheduler) beginLatencies(e *entry) {
	if s.eachLatency {
		e.latencies.Store(new(latencies))
	} else {
		e.latencies.Store(nil)
	}
}
