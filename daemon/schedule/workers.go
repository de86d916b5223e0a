package schedule

import (
	"sync"
	"sync/atomic"
)

// mostResting is how many goroutines may wait for the next probe: two bursts. While it waits, a
// goroutine keeps its stack, which the garbage collector halves each time it finds most of it
// unused.
const mostResting = 2 * burst

// workers are the goroutines in which probes run. A goroutine that has run a probe waits for
// the next one, because its stack has grown to what a probe needs by then. Growing a new stack
// step by step costs more than everything else about a goroutine.
// See docs/decisions/probe-workers.md.
type workers struct {
	wg      sync.WaitGroup
	next    chan func() // resting workers receive from it
	resting atomic.Int32
}

func newWorkers() *workers { return &workers{next: make(chan func())} }

// run runs f in a new or used goroutine. It does not wait. It must not be called after end.
func (w *workers) run(f func()) {
	select {
	case w.next <- f:
	default: // no worker is resting
		w.wg.Go(func() { w.work(f) })
	}
}

func (w *workers) work(f func()) {
	for ok := true; ok; f, ok = w.rest() {
		f()
	}
}

// rest waits for the next call; it is not ok if there is none for this worker.
func (w *workers) rest() (f func(), ok bool) {
	defer w.resting.Add(-1)
	if w.resting.Add(1) > mostResting {
		return nil, false
	}
	f, ok = <-w.next
	return f, ok
}

// end releases the resting workers. It does not wait.
func (w *workers) end() { close(w.next) }

// wait waits for all workers after end.
func (w *workers) wait() { w.wg.Wait() }
