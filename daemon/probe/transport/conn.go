package transport

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// A Conn watches a plain connection for peers that do not speak HTTP: it keeps the first
// bytes received, and rejects bytes that are read before a request was written. (A keeper
// itself looks for bytes that came while its connection was idle.) Otherwise http.Transport
// would race between the request and the banner of an SSH server, for example, and print
// the banner to the standard logger.
type Conn struct {
	net.Conn
	keyless bool        // the key must not be sent over it
	asked   atomic.Bool // a request was written and is not answered yet

	mu    sync.Mutex
	first []byte
}

// Sniffed is how many of the first bytes are kept: enough to recognise TLS and HTTP, and to
// quote a banner.
const Sniffed = 32

var errUnasked = errors.New("the server spoke before the request")

// Expect lets the peer speak: a request was sent in another way, or the peer may speak
// first.
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
