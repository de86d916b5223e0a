package schedule

import (
	"sync"
	"sync/atomic"
)

// mostResting is how many goroutines may wait for the next probe: two bursts. What one
// keeps while it waits is its stack, which the garbage collector halves each time it
// finds most of it unused.
const mostResting = 2 * burst

// workers are the goroutines in which probes run. One that has run a probe waits for
// the next, because its stack has grown by then to what a probe needs: to let a new
// goroutine's stack grow step by step costs more than all else about a goroutine.
// See docs/decisions/probe-workers.md.
type workers struct {
	wg      sync.WaitGroup
	next    chan func() // whoever rests receives from it
	resting atomic.Int32
}

func newWorkers() *workers { return &workers{next: make(chan func())} }

// run runs f in a goroutine, which may have run others before. It waits for nobody.
// It must not be called after end.
func (w *workers) run(f func()) {
	select {
	case w.next <- f:
	default: // nobody rests
		w.wg.Go(func() { w.work(f) })
	}
}

func (w *workers) work(f func()) {
	for ok := true; ok; f, ok = w.rest() {
		f()
	}
}

// rest waits for the next call; it is not ok when there is none for this worker.
func (w *workers) rest() (f func(), ok bool) {
	defer w.resting.Add(-1)
	if w.resting.Add(1) > mostResting {
		return nil, false
	}
	f, ok = <-w.next
	return f, ok
}

// end sends home who rests. It waits for nobody.
func (w *workers) end() { close(w.next) }

// wait waits for all after the end.
func (w *workers) wait() { w.wg.Wait() }
