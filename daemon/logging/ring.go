package logging

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/store/provider"
)

const (
	// ringLines is how many lines of the log are kept.
	ringLines = 1000
	// maxText is the maximum size of each string in a line, in bytes.
	maxText = 4 << 10
	// maxFields is the maximum number of fields in a line.
	maxFields = 32
)

// A Ring keeps the last lines of the log for those who follow it. It is an
// [hclog.SinkAdapter], which hclog calls under its own lock, so that it must not wait or
// log.
type Ring struct {
	level atomic.Int32 // an hclog.Level

	mu    sync.Mutex
	lines []provider.LogLine // line number n, from 1, is at (n-1) % ringLines
	count uint64             // the number of the newest line
	next  chan struct{}      // nil if nobody waits
}

// NewRing makes a ring for lines of a level and above.
func NewRing(level hclog.Level) *Ring {
	r := &Ring{}
	r.SetLevel(level)
	return r
}

// SetLevel changes the level of the lines that are kept: hclog passes lines of every level
// to a sink.
func (r *Ring) SetLevel(level hclog.Level) { r.level.Store(int32(level)) }

// Accept implements [hclog.SinkAdapter]. It turns the arguments into text at once, as they
// may change later.
func (r *Ring) Accept(name string, level hclog.Level, msg string, args ...any) {
	if lowest := hclog.Level(r.level.Load()); level < lowest || lowest == hclog.Off {
		return
	}
	line := provider.LogLine{
		Time:    provider.Time{Time: time.Now()},
		Level:   level.String(),
		Message: clip(msg),
		Fields:  fields(name, args),
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) < ringLines {
		r.lines = append(r.lines, line)
	} else {
		r.lines[r.count%ringLines] = line
	}
	r.count++
	if r.next != nil {
		close(r.next)
		r.next = nil
	}
}

// Tail returns up to n of the last lines, oldest first, and the number of the newest.
func (r *Ring) Tail(n uint64) (lines []provider.LogLine, newest uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last(n), r.count
}

// Since returns the lines after number cursor, oldest first, and the number of the newest.
// lost means that some of them are no longer kept.
func (r *Ring) Since(cursor uint64) (lines []provider.LogLine, newest uint64, lost bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	missing := r.count - min(cursor, r.count)
	return r.last(missing), r.count, missing > uint64(len(r.lines))
}

// last copies up to n of the last lines.
func (r *Ring) last(n uint64) []provider.LogLine {
	n = min(n, uint64(len(r.lines)))
	lines := make([]provider.LogLine, 0, n)
	for i := r.count - n; i < r.count; i++ {
		lines = append(lines, r.lines[i%ringLines])
	}
	return lines
}

// Next returns a channel that is closed when the next line is logged.
func (r *Ring) Next() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		r.next = make(chan struct{})
	}
	return r.next
}
