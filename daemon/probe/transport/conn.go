package transport

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// A Conn watches a plain connection for peers that do not speak HTTP: it keeps
// the first bytes that came, and refuses those that are read before a request was
// written. (Those that came while a keeper's connection rested, and were not read,
// the keeper looks for itself.) Without that, http.Transport would race between the request and the banner of, say, an
// SSH server, and print the banner to the standard logger.
type Conn struct {
	net.Conn
	keyless bool        // the key must not be sent over it
	asked   atomic.Bool // a request was written and not yet answered

	mu    sync.Mutex
	first []byte
}

// Sniffed is how many of the first bytes are kept: enough to know TLS and HTTP,
// and to quote a banner.
const Sniffed = 32

var errUnasked = errors.New("the server spoke before it was asked")

// Expect lets the peer speak: a request was sent another way, or the protocol lets it
// begin.
func (c *Conn) Expect() { c.asked.Store(true) }

func (c *Conn) Write(b []byte) (int, error) {
	c.asked.Store(true)
	return c.Conn.Write(b)
}

func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n == 0 {
		return n, err
	}
	c.mu.Lock()
	if len(c.first) < Sniffed {
		c.first = append(c.first, b[:min(n, Sniffed-len(c.first))]...)
	}
	c.mu.Unlock()
	if !c.asked.Load() {
		return 0, errUnasked
	}
	return n, err
}

// Heard returns the first bytes that the peer sent.
func (c *Conn) Heard() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.first)
}
