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
	// streamBuffer is the kernel's buffer for a stream's reader. It is small, so that a
	// reader that does not read costs little and is noticed soon.
	streamBuffer = 64 << 10
	// partingBuffer is that buffer at the end of the stream. The rest of the current line
	// and the last line fit into it, however much the reader left unread.
	partingBuffer = 256 << 10
	// partingTime is how long writing those two may take.
	partingTime = time.Second
)

// A conn is one connection with its peer. It stands between net/http and the socket for two
// reasons: [framing.Conn] has to refuse malformed requests; and net/http forgets how much of
// a write was taken before its deadline, which would break the framing of a stream.
//
// Only the goroutine that serves the connection uses its fields, except those that the gate
// reads.
type conn struct {
	framing.Conn
	peer     socket.Peer
	gate     *gate
	reserve  *scarce.Reserve
	closed   atomic.Bool
	since    atomic.Int64 // when it became idle, or its request began to be answered: see Server.ticks
	replying atomic.Bool  // a request is being answered
	slots    cpuSlots     // of its process
	hasSlot  bool
	parting  bool // if a write times out, finish it and become slow
	slow     bool // a write timed out; its bytes were written nevertheless
}

// Close closes the connection and releases its place, once.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	err := c.Conn.Close()
	c.gate.leave(c)
	c.reserve.Refill()
	return err
}

// moreIdle reports whether closing c costs less than closing other.
func (c *conn) moreIdle(other *conn) bool {
	if a, b := c.replying.Load(), other.replying.Load(); a != b {
		return b
	}
	return c.since.Load() < other.since.Load()
}

// unix is the Unix socket; nil for another kind of connection.
func (c *conn) unix() *net.UnixConn {
	u, _ := c.Conn.Conn.(*net.UnixConn)
	return u
}

// CloseWrite lets net/http end a refused request properly.
func (c *conn) CloseWrite() error {
	if u := c.unix(); u != nil {
		return u.CloseWrite()
	}
	return c.Conn.Close()
}

// Write hides a slow reader from net/http, once. When the deadline of a stream's write
// passes, the socket's buffer is enlarged so that the rest of p fits. The stream checks slow
// after each write, and has a moment for its last line.
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

// beginStream prepares the connection for a reply without end.
func (c *conn) beginStream() {
	c.parting = true
	if u := c.unix(); u != nil {
		u.SetWriteBuffer(streamBuffer) // only a bound: the stream works without it too
	}
}

type connKey struct{}

// connContext makes the connection known to its requests.
func connContext(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, nc)
}

func connOf(r *http.Request) *conn { return r.Context().Value(connKey{}).(*conn) }

// acceptor wraps l so that it keeps accepting when files have run out.
func (s *Server) acceptor(l net.Listener) *acceptor {
	makeRoom := func() bool {
		c := s.gate.makeRoom()
		if c != nil {
			s.log.Debug("closed a connection to free open files", c.peer.LogArgs()...)
			c.Conn.Close() // not conn.Close, which would refill the reserve
		}
		return c != nil
	}
	return &acceptor{scarce.Wrap(l, "accepting a client", s.reserve, s.shortage, makeRoom), s}
}

// An acceptor passes connections to net/http: those that the gate admits, each with its
// peer.
type acceptor struct {
	net.Listener
	server *Server
}

// Accept reads the peer's credentials once, before the first byte.
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
			a.server.log.Debug("closed a connection to make room for another process", evicted.peer.LogArgs()...)
			evicted.Close()
		case !ok:
			a.server.turnAway(nc, c.peer)
			continue
		}
		return c, nil
	}
}

// turnAway refuses a connection because there is no place for it. The reply fits the empty
// buffer of a new socket, so that it never waits.
func (s *Server) turnAway(nc net.Conn, p socket.Peer) {
	defer s.reserve.Refill()
	defer nc.Close()
	s.denied.Add(1)
	s.log.Debug("refused a connection, too many are open", p.LogArgs()...)
	e := provider.Errorf(provider.TooMany, "close connections that are not in use, then try again",
		"too many connections are open")
	if body, err := json.Marshal(provider.ErrorReply{Error: e}); err == nil {
		_ = framing.WriteReply(nc, e.Code.HTTPStatus(), mediaJSON, body) // an error means that the client has gone
	}
}

// refusal is the answer to a malformed request. It counts as a reply.
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
