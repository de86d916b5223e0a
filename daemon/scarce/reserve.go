package scarce

import (
	"os"
	"sync"
	"sync/atomic"
)

// mostSpare is how many files are kept back if there are plenty.
const mostSpare = 16

// A Reserve keeps files open that nobody needs, so that one can be closed when another
// must be opened and none is left. A nil Reserve is empty.
type Reserve struct {
	size, held atomic.Int64
	least      int // files needed to answer every client that may connect

	mu    sync.Mutex
	spare []*os.File
}

// NewReserve makes a reserve for a process with those shares: one file for each
// connection, and one to turn away a further one. It is empty until Refill, which should
// be called once everything that the daemon needs is open.
func NewReserve(s Shares) *Reserve {
	r := new(Reserve)
	r.size.Store(min(int64(s.Conns)+1, mostSpare))
	if r.least = s.Conns + 1; r.least > mostSpare { // the others use files that probes give back
		r.least = 2
	}
	return r
}

// Release closes a file, so that another can be opened at once, and reports whether there
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
	_ = r.spare[last].Close() // nothing was written to it, so no error matters
	r.spare[last] = nil
	r.spare = r.spare[:last]
	r.held.Store(int64(last))
	return true
}

// Refill reopens released files, as far as files are left. It costs nothing while the
// reserve is full. It fails if there are not enough. If connections are few, it needs
// one for each and one more: otherwise followers of events could hold every file, and
// nobody else would be answered. If they are many, it needs one for a client and one to
// turn another away.
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

// Lend runs fn, which needs a few files, and releases some of the reserve if none are left.
func (r *Reserve) Lend(files int, fn func()) {
	if Now() != nil {
		for range files {
			r.Release()
		}
		defer r.Refill()
	}
	fn()
}

// Close closes all files.
func (r *Reserve) Close() {
	if r == nil {
		return
	}
	r.size.Store(0)
	for r.Release() {
	}
}
