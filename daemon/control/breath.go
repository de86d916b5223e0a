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

// breathe is rest for what takes no time to speak of: it looks at the clock once in 64 calls.
func (b *breath) breathe() {
	const callsAtOnce = 64
	b.mu.Lock()
	b.calls++
	due := b.calls%callsAtOnce == 0
	b.mu.Unlock()
	if due {
		b.rest()
	}
}

// rest gives up the connection's slot for others that wait, if it has had it for a millisecond.
func (b *breath) rest() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended || time.Since(b.taken) < time.Millisecond {
		return
	}
	b.conn.freeSlot()
	b.conn.takeSlot()
	b.taken = time.Now()
}

// end makes both do nothing from now on.
func (b *breath) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}
