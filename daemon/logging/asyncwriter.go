package logging

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// queuedLines is how many log lines may wait for whoever reads the log.
const queuedLines = 4096

// An asyncWriter writes lines to a writer that may block for ever: a pipe that
// nobody empties, a terminal that was stopped. Whoever logs never waits for it.
// Lines that find the queue full are dropped, and counted in a later one.
type asyncWriter struct {
	to      io.Writer
	queue   chan []byte
	written chan struct{} // closed when the queue is empty and closed
	noteBy  string        // what a line of our own begins with

	mu      sync.Mutex
	dropped int
	closed  bool
}

func newAsyncWriter(to io.Writer) *asyncWriter {
	w := &asyncWriter{to: to, queue: make(chan []byte, queuedLines), written: make(chan struct{})}
	go func() {
		defer close(w.written)
		for line := range w.queue {
			_, _ = to.Write(line) // there is nowhere to say that the log is gone
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

// Close waits for the queue to be written, for at most timeout: then the
// goroutine that writes is left to its fate.
func (w *asyncWriter) Close(timeout time.Duration) {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	select {
	case <-w.written:
	case <-time.After(timeout):
	}
}
