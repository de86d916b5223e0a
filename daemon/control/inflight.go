package control

import "sync"

// An inFlightCounter counts what is in progress and signals when nothing is. Unlike a
// [sync.WaitGroup] it can grow again during a wait, and the wait is a channel.
type inFlightCounter struct {
	mu   sync.Mutex
	n    int
	zero chan struct{} // made when somebody waits, closed at zero
}

func (t *inFlightCounter) add(delta int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n += delta
	if t.n == 0 && t.zero != nil {
		close(t.zero)
		t.zero = nil
	}
}

func (t *inFlightCounter) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}

// drained returns a channel that is closed when the count is, or next comes to,
// zero.
func (t *inFlightCounter) drained() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == 0 {
		now := make(chan struct{})
		close(now)
		return now
	}
	if t.zero == nil {
		t.zero = make(chan struct{})
	}
	return t.zero
}
