package dashboard

import (
	"net"
	"sync"
	"time"
)

// The limits on connections. A browser opens six to a host. Connections of other users only get
// a refusal, and do not count against ours.
const (
	maxOurs   = 64
	maxOthers = 8
)

// overfull is the answer to a connection above the limit.
const overfull = "HTTP/1.1 503 Service Unavailable" + plainHead + "Too many connections to this dashboard: close a page.\n"

// A doorway accepts connections, and finds out who makes them.
type doorway struct {
	net.Listener
	who      func(net.Conn) Peer
	patience time.Duration // how long a reader may read nothing

	mu     sync.Mutex
	ours   int
	others int
}

// A caller is a connection with its peer.
type caller struct {
	net.Conn
	peer     Peer
	patience time.Duration
	leave    func()
}

// piece is how much of an answer a reader has to read within patience.
const piece = 16 << 10

// Write writes to the connection. It fails if the reader reads nothing for too long; the whole
// answer may take any time. It also sees the answers that net/http makes itself.
func (c *caller) Write(b []byte) (int, error) {
	text := hardened(b)
	for rest := text; len(rest) > 0; {
		if err := c.SetWriteDeadline(time.Now().Add(c.patience)); err != nil {
			return 0, err
		}
		n, err := c.Conn.Write(rest[:min(piece, len(rest))])
		if err != nil {
			return 0, err // net/http abandons the connection, wherever it failed
		}
		rest = rest[n:]
	}
	return len(b), nil
}

// Close closes the connection, and releases its place.
func (c *caller) Close() error {
	err := c.Conn.Close()
	c.leave()
	return err
}

// Accept returns the next connection that is within the limits.
func (d *doorway) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer := d.who(c)
		count, most := &d.ours, maxOurs
		if peer == PeerAnother || peer == PeerUnknown {
			count, most = &d.others, maxOthers
		}
		if d.take(count, most) {
			return &caller{c, peer, d.patience, sync.OnceFunc(func() { d.free(count) })}, nil
		}
		if peer == PeerOurs {
			_, _ = c.Write(hardened([]byte(overfull))) // it fits into the buffer of a new socket
		}
		c.Close()
	}
}

func (d *doorway) take(count *int, most int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if *count >= most {
		return false
	}
	*count++
	return true
}

func (d *doorway) free(count *int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	*count--
}
