package scarce

import (
	"os"
	"sync"
	"sync/atomic"
)

// mostSpare is how many files are kept back where they are plenty.
const mostSpare = 16

// A Reserve holds files open that nobody needs, to close one when another is needed
// and none is left. A nil Reserve is an empty one.
type Reserve struct {
	size, held atomic.Int64
	least      int // files, without which not everybody who may connect can be answered

	mu    sync.Mutex
	spare []*os.File
}

// NewReserve makes a reserve for a process with those shares: one file for each
// connection, and one to turn a further one away with. It is empty until Refill, for
// which the time is when all is open that must be.
func NewReserve(s Shares) *Reserve {
	r := new(Reserve)
	r.size.Store(min(int64(s.Conns)+1, mostSpare))
	if r.least = s.Conns + 1; r.least > mostSpare { // the others get what probes give back
		r.least = 2
	}
	return r
}

// Release gives a file up for another to be opened at once, and reports whether there
// was one.
func (r *Reserve) Release() bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.spare) - 1
	if last < 0 {
		return false
	}
	_ = r.spare[last].Close() // nothing was written to it
	r.spare[last] = nil
	r.spare = r.spare[:last]
	r.held.Store(int64(last))
	return true
}

// Refill takes back what was given up, as far as there are files. It costs nothing
// while the reserve is full. The error is that there are not enough: where connections
// are few, for each of them and to turn away a further one, or else those who follow
// events have every file, and nobody is answered; where they are many, for one client
// and to turn away another.
func (r *Reserve) Refill() error {
	if r == nil || r.held.Load() == r.size.Load() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var err error
	for err == nil && int64(len(r.spare)) < r.size.Load() {
		var f *os.File
		if f, err = os.Open(os.DevNull); err == nil {
			r.spare = append(r.spare, f)
		}
	}
	r.held.Store(int64(len(r.spare)))
	if len(r.spare) >= r.least || !Is(err) {
		return nil
	}
	return err
}

// Lend runs fn, which needs a few files, with some of the reserve if none are left.
func (r *Reserve) Lend(files int, fn func()) {
	if Now() != nil {
		for range files {
			r.Release()
		}
		defer r.Refill()
	}
	fn()
}

// Close gives everything up.
func (r *Reserve) Close() {
	if r == nil {
		return
	}
	r.size.Store(0)
	for r.Release() {
	}
}
