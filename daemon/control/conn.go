package control

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/providerd/providerd/daemon/framing"
	"github.com/providerd/providerd/daemon/scarce"
	"github.com/providerd/providerd/daemon/socket"
	"github.com/providerd/providerd/store/provider"
)

const (
	// streamBuffer is what the kernel is asked to hold for a stream's reader.
	// It is small, so that one who does not read costs little and is noticed
	// soon.
	streamBuffer = 64 << 10
	// partingBuffer is what it is asked to hold at the end, so that the rest of the
	// line under way and the last line fit whatever the reader left unread.
	partingBuffer = 256 << 10
	// partingTime is how long those two may take to be written.
	partingTime = time.Second
)

// A conn is one connection, with who is at its other end. It stands between
// net/http and the socket for two reasons: requests that are malformed are for
// [framing.Conn] to refuse; and for the sake of streams, as net/http forgets how much
// of a write was taken before its deadline passed, and with that the framing of the
// reply would be lost.
//
// Its fields are used by the goroutine that serves the connection only, but for
// those that the gate looks at.
type conn struct {
	framing.Conn
	peer     socket.Peer
	gate     *gate
	reserve  *scarce.Reserve
	closed   atomic.Bool
	since    atomic.Int64 // when it began to be silent, or to be answered: see Server.ticks
	replying atomic.Bool  // a request is being answered
	slots    cpuSlots     // of its process
	hasSlot  bool
	parting  bool // on a write that times out, finish it and become slow
	slow     bool // a write timed out; what it was writing is nevertheless written
}

// Close closes the connection and gives its place back, once.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	err := c.Conn.Close()
	c.gate.leave(c)
	c.reserve.Refill()
	return err
}

// moreIdle reports whether c is easier to do without than other.
func (c *conn) moreIdle(other *conn) bool {
	if a, b := c.replying.Load(), other.replying.Load(); a != b {
		return b
	}
	return c.since.Load() < other.since.Load()
}

// unix is the socket; nil where it is of another kind.
func (c *conn) unix() *net.UnixConn {
	u, _ := c.Conn.Conn.(*net.UnixConn)
	return u
}

// CloseWrite lets net/http end a refused request in good order.
func (c *conn) CloseWrite() error {
	if u := c.unix(); u != nil {
		return u.CloseWrite()
	}
	return c.Conn.Close()
}

// Write hides a reader's slowness from net/http, once: when the deadline of a
// stream's write passes, the socket's buffer is made larger so that the rest of
// p fits, and the stream, which looks at slow after each write, has a moment to
// say goodbye.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err == nil || !c.parting || c.slow || !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	u := c.unix()
	if u == nil || u.SetWriteBuffer(partingBuffer) != nil || u.SetWriteDeadline(time.Now().Add(partingTime)) != nil {
		return n, err
	}
	c.slow = true
	rest, err := c.Conn.Write(p[n:])
	return n + rest, err
}

// beginStream readies the connection for a reply without end.
func (c *conn) beginStream() {
	c.parting = true
	if u := c.unix(); u != nil {
		u.SetWriteBuffer(streamBuffer) // only a bound: without it the stream works too
	}
}

type connKey struct{}

// connContext lets a request know its connection.
func connContext(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, nc)
}

func connOf(r *http.Request) *conn { return r.Context().Value(connKey{}).(*conn) }

// acceptor wraps l so that it goes on accepting when files have run out.
func (s *Server) acceptor(l net.Listener) *acceptor {
	makeRoom := func() bool {
		c := s.gate.makeRoom()
		if c != nil {
			s.log.Debug("closed a connection for want of open files", c.peer.LogArgs()...)
			c.Conn.Close() // and not its own Close, which would refill the reserve
		}
		return c != nil
	}
	return &acceptor{scarce.Wrap(l, "accepting a client", s.reserve, s.shortage, makeRoom), s}
}

// An acceptor hands connections to net/http: those that the gate lets in, each
// with its peer.
type acceptor struct {
	net.Listener
	server *Server
}

// Accept asks for the peer's credentials once, before the first byte is read.
func (a *acceptor) Accept() (net.Conn, error) {
	for {
		nc, err := a.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{peer: socket.PeerOf(nc), gate: &a.server.gate, reserve: a.server.reserve}
		c.Conn = framing.NewConn(nc, func(bad *framing.Refusal) (string, []byte) { return a.server.refusal(c, bad) })
		c.since.Store(a.server.ticks())
		evicted, ok := a.server.gate.enter(c)
		switch {
		case evicted != nil:
			a.server.log.Debug("Closed a connection for one of another process", evicted.peer.LogArgs()...)
			evicted.Close()
		case !ok:
			a.server.turnAway(nc, c.peer)
			continue
		}
		return c, nil
	}
}

// turnAway answers a connection for which there is no place. What it writes fits
// the empty buffer of a new socket, so that it never waits.
func (s *Server) turnAway(nc net.Conn, p socket.Peer) {
	defer s.reserve.Refill()
	defer nc.Close()
	s.denied.Add(1)
	s.log.Debug("Turned away a connection", p.LogArgs()...)
	e := provider.Errorf(provider.TooMany, "close connections that are not in use, then try again",
		"too many connections are open")
	if body, err := json.Marshal(provider.ErrorReply{Error: e}); err == nil {
		_ = framing.WriteReply(nc, e.Code.HTTPStatus(), mediaJSON, body) // who has gone need not be told
	}
}

// refusal is what the sender of a malformed request is told. It is counted as a reply.
func (s *Server) refusal(c *conn, bad *framing.Refusal) (contentType string, body []byte) {
	s.requests.Add(1)
	s.codes[bad.Status].Add(1)
	s.log.Debug("refused a malformed request", append(c.peer.LogArgs(), "error", bad)...)
	body, err := encode(nil, provider.ErrorReply{Error: bad.Reason})
	if err != nil {
		return mediaJSON, nil
	}
	return mediaJSON, body
}
