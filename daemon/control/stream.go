package control

import (
	"errors"
	"net/http"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// The reasons for the end of a stream, in its last line.
const (
	endShuttingDown = "shutting_down"
	endSlowReader   = "slow_reader"
	endStoreFailing = "store_failing"
)

// maxBatch is how many bytes of a stream are gathered before they are written. A slow
// reader is sent at most this much at the end, so it must fit the parting buffer.
const maxBatch = 32 << 10

// errSlowReader means that the lines were written, and that the reader should be told that
// there will be no more.
var errSlowReader = errors.New("the reader is too slow")

// A stream writes lines of JSON to one follower.
type stream struct {
	s      *Server
	c      *call
	rc     *http.ResponseController
	buf    []byte
	follow bool // it stays open when there is nothing more to send
	fleet  fleetWatch
}

// openStream sends the header, so that a follower knows at once that it follows. The caller
// closes the stream. For a HEAD request it sends only the header and returns nil.
func (s *Server) openStream(c *call) *stream {
	c.count(http.StatusOK)
	h := c.w.Header()
	h["Content-Type"] = contentLines
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close") // its buffers are sized for a stream now
	if c.r.Method == http.MethodHead {
		return nil
	}
	c.conn.beginStream()
	c.conn.freeSlot()
	s.streams.Add(1)
	st := &stream{s: s, c: c, rc: http.NewResponseController(c.w), follow: c.query.follow}
	st.flush() // an error occurs again at the first write
	return st
}

func (st *stream) close() { st.s.streams.Add(-1) }

// add puts a line into the batch.
func (st *stream) add(v any) error {
	b, err := encode(st.buf, v)
	if err == nil {
		st.buf = b
	}
	return err
}

// full reports whether the batch should be written before more is added.
func (st *stream) full() bool { return len(st.buf) >= maxBatch }

// flush writes the batch. After errSlowReader it is completely written all the same; any
// other error means that the client has gone.
func (st *stream) flush() error {
	if err := st.rc.SetWriteDeadline(time.Now().Add(st.s.slowAfter)); err != nil {
		return err
	}
	if len(st.buf) > 0 {
		if _, err := st.c.w.Write(st.buf); err != nil {
			return err
		}
		st.buf = st.buf[:0]
	}
	if err := st.rc.Flush(); err != nil {
		return err
	}
	if st.c.conn.slow {
		return errSlowReader
	}
	return nil
}

// note writes the batch and a line that is not data.
func (st *stream) note(kind, reason string, seq uint64) error {
	if err := st.add(provider.StreamNote{Type: kind, Reason: reason, Seq: seq}); err != nil {
		return err
	}
	return st.flush()
}

// end writes the last line. A slow reader has the rest of its parting time to read it.
func (st *stream) end(reason string, seq uint64) {
	if st.c.conn.slow {
		st.add(provider.StreamNote{Type: "end", Reason: reason, Seq: seq})
		st.c.w.Write(st.buf) // net/http flushes it at the end of the reply
		return
	}
	st.note("end", reason, seq) // an error means that the client has gone
}

// rest waits until there is more to send. It returns false when the stream is over: the
// last line is written, or the follower has gone.
func (st *stream) rest(more <-chan struct{}, seq uint64) bool {
	idle := time.NewTimer(st.s.heartbeat)
	defer idle.Stop()
	fleet, soon, stop := st.fleet.next()
	defer stop()
	select {
	case <-more:
		return true
	case <-soon:
		return true
	case <-fleet:
		return st.tellFleet(seq)
	case <-st.c.r.Context().Done():
		return false
	case <-st.s.stopping:
		st.end(endShuttingDown, seq)
		return false
	case <-idle.C:
		return st.proceed(st.note("heartbeat", "", seq), seq)
	}
}

// proceed reports whether the stream continues after a write that returned err. If it does
// not, a slow reader gets a last line. So does a reader that would never reach rest because
// there is always more to send while the server stops.
func (st *stream) proceed(err error, seq uint64) bool {
	switch {
	case errors.Is(err, errSlowReader):
		st.end(endSlowReader, seq)
		return false
	case err == nil && st.follow && st.s.isStopping():
		st.end(endShuttingDown, seq)
		return false
	}
	return err == nil
}
