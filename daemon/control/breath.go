package control

import (
	"sync"
	"time"
)

// A breath lets the other requests of a process have their turn while a long one computes. It
// is for the goroutine that reads the history, which can outlast its request.
type breath struct {
	mu    sync.Mutex
	conn  *conn
	taken time.Time
	calls int
	ended bool
}

// breathe gives up the connection's slot for others that wait, once in a millisecond or so.
func (b *breath) breathe() {
	const callsAtOnce, long = 64, time.Millisecond
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.calls++; b.ended || b.calls%callsAtOnce != 0 || time.Since(b.taken) < long {
		return
	}
	b.conn.freeSlot()
	b.conn.takeSlot()
	b.taken = time.Now()
}

// end makes breathe do nothing from now on.
func (b *breath) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}
