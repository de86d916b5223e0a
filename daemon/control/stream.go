package control

import (
	"errors"
	"net/http"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// Why a stream ends, as its last line says.
const (
	endShuttingDown = "shutting_down"
	endSlowReader   = "slow_reader"
	endStoreFailing = "store_failing"
)

// maxBatch is how much of a stream is gathered before it is written. What a slow
// reader is still sent at the end is at most that, and must fit the parting
// buffer.
const maxBatch = 32 << 10

// errSlowReader says that the lines were written, and that the reader is to be
// told that there will be no more.
var errSlowReader = errors.New("the reader is too slow")

// A stream writes lines of JSON to one follower.
type stream struct {
	s      *Server
	c      *call
	rc     *http.ResponseController
	buf    []byte
	follow bool // it goes on when there is nothing more to say
}

// openStream sends the header, so that a follower knows at once that it follows.
// The caller closes the stream. A HEAD request gets the header alone: nil.
func (s *Server) openStream(c *call) *stream {
	c.count(http.StatusOK)
	h := c.w.Header()
	h["Content-Type"] = contentLines
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close") // its buffers are a stream's now
	if c.r.Method == http.MethodHead {
		return nil
	}
	c.conn.beginStream()
	c.conn.freeSlot()
	s.streams.Add(1)
	st := &stream{s: s, c: c, rc: http.NewResponseController(c.w), follow: c.query.follow}
	st.flush() // an error shows again at the first write
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

// flush writes the batch. errSlowReader means that it was written whole all the
// same; after any other error there is nobody to talk to.
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

// note writes the batch, and a line that is not data.
func (st *stream) note(kind, reason string, seq uint64) error {
	if err := st.add(provider.StreamNote{Type: kind, Reason: reason, Seq: seq}); err != nil {
		return err
	}
	return st.flush()
}

// end writes the last line. A slow reader has what is left of its parting time
// for it.
func (st *stream) end(reason string, seq uint64) {
	if st.c.conn.slow {
		st.add(provider.StreamNote{Type: "end", Reason: reason, Seq: seq})
		st.c.w.Write(st.buf) // net/http flushes it with the end of the reply
		return
	}
	st.note("end", reason, seq) // an error means that the client has gone
}

// rest waits until there is more to say. It returns false when the stream is
// over: the last line is written, or the follower has gone.
func (st *stream) rest(more <-chan struct{}, seq uint64) bool {
	idle := time.NewTimer(st.s.heartbeat)
	defer idle.Stop()
	select {
	case <-more:
		return true
	case <-st.c.r.Context().Done():
		return false
	case <-st.s.stopping:
		st.end(endShuttingDown, seq)
		return false
	case <-idle.C:
		return st.proceed(st.note("heartbeat", "", seq), seq)
	}
}

// proceed reports whether the stream goes on after a write that returned err. A
// slow reader is told when it does not, and so is one who would never come to
// rest, because there is always more to say while the server stops.
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
