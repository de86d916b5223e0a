package dashboard

import (
	"net"
	"sync"
)

// The limits on connections. A browser makes six to a host. Other users' connections only
// get an answer that says so, and take no place of ours.
const (
	maxOurs   = 64
	maxOthers = 8
)

// overfull answers a connection for which there is no place.
const overfull = "HTTP/1.1 503 Service Unavailable" + plainHead + "Too many connections to this dashboard: close a page.\n"

// A doorway accepts connections, and finds out who makes each.
type doorway struct {
	net.Listener
	who func(net.Conn) Peer

	mu     sync.Mutex
	ours   int
	others int
}

// A caller is a connection with its peer.
type caller struct {
	net.Conn
	peer  Peer
	leave func()
}

// Write writes to the connection. It sees the answers that no handler makes, too.
func (c *caller) Write(b []byte) (int, error) {
	text := hardened(b)
	n, err := c.Conn.Write(text)
	if len(text) != len(b) && err == nil {
		n = len(b)
	}
	return min(n, len(b)), err
}

// Close closes the connection, and frees its place.
func (c *caller) Close() error {
	err := c.Conn.Close()
	c.leave()
	return err
}

// Accept returns the next connection for which there is a place.
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
			return &caller{c, peer, sync.OnceFunc(func() { d.free(count) })}, nil
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
