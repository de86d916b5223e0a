package logging

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// queuedLines is how many log lines may wait for a slow reader of the log.
const queuedLines = 4096

// An asyncWriter writes lines to a writer that may block for ever: a pipe that nobody
// reads, a stopped terminal. Logging never waits for it. If the queue is full, lines are
// dropped, and a later line says how many.
type asyncWriter struct {
	to      io.Writer
	queue   chan []byte
	written chan struct{} // closed when the queue is empty and closed
	noteBy  string        // the prefix of its own lines

	writing atomic.Int64 // since when a line is being written, in Unix nanoseconds; 0: none

	mu      sync.Mutex
	dropped int // since the last line that said so
	closed  bool
}

func newAsyncWriter(to io.Writer) *asyncWriter {
	w := &asyncWriter{to: to, queue: make(chan []byte, queuedLines), written: make(chan struct{})}
	go func() {
		defer close(w.written)
		for line := range w.queue {
			w.writing.Store(time.Now().UnixNano())
			_, _ = to.Write(line) // there is nowhere to report that the log is gone
			w.writing.Store(0)
		}
	}()
	return w
}

// Write queues a copy of p. It never blocks and never fails.
func (w *asyncWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return len(p), nil
	}
	if w.dropped > 0 {
		note := fmt.Appendf(nil, "%s(%d log lines were dropped: nobody read them)\n", w.noteBy, w.dropped)
		if !w.offer(note) {
			w.dropped++
			return len(p), nil
		}
		w.dropped = 0
	}
	if !w.offer(append([]byte(nil), p...)) {
		w.dropped++
	}
	return len(p), nil
}

func (w *asyncWriter) offer(line []byte) bool {
	select {
	case w.queue <- line:
		return true
	default:
		return false
	}
}

// blocked is how long no line has been taken, and how many wait or were dropped; 0 if none
// waits.
func (w *asyncWriter) blocked() (age time.Duration, lines int) {
	since := w.writing.Load()
	if since == 0 {
		return 0, 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Since(time.Unix(0, since)), 1 + len(w.queue) + w.dropped
}

// Close waits until the queue is written, but no longer than timeout, which includes the
// time that the current line has been blocked already. Then it abandons the goroutine
// that writes.
func (w *asyncWriter) Close(timeout time.Duration) {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	age, _ := w.blocked()
	select {
	case <-w.written:
	case <-time.After(max(0, timeout-age)):
	}
}
