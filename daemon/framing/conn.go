package framing

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	// partingTime is how long writing a refusal may take, and then how long the
	// connection stays open for a client that reads only after it has sent everything.
	partingTime = 500 * time.Millisecond
	// partingBytes is how much of what such a client sends is discarded.
	partingBytes = 256 << 10
)

// A Conn passes the well-formed requests of a connection to net/http. Its methods are
// called by the goroutine that serves the connection, as net/http does: another one
// calls Read only while a handler runs.
type Conn struct {
	net.Conn
	tell Teller

	scan     scanner
	unserved int  // requests passed on whose replies are not completely written
	replying bool // a handler is writing the reply
	bad      *Refusal
	over     bool // a request was refused
}

// A Teller makes the body of a refusal. It may also count it.
type Teller func(*Refusal) (contentType string, body []byte)

// NewConn returns a Conn on nc.
func NewConn(nc net.Conn, tell Teller) Conn { return Conn{Conn: nc, tell: tell} }

// BeginReply must be called when a handler begins. Anything written at another time is
// net/http's own refusal.
func (c *Conn) BeginReply() { c.replying = true }

// EndReply must be called when the connection is idle again ([http.StateIdle]).
func (c *Conn) EndReply() {
	c.replying = false
	c.unserved--
}

// Read passes on what is well formed. After that it writes the refusal, once all earlier
// requests are answered; until then it returns the refusal as an error, as for a body,
// whose handler reports it.
func (c *Conn) Read(p []byte) (int, error) {
	if c.over {
		return 0, io.EOF
	}
	if c.bad == nil {
		n, err := c.Conn.Read(p)
		good, heads, bad := c.scan.take(p[:n])
		c.unserved += heads
		if bad == nil {
			return n, err
		}
		if c.bad = bad; good > 0 {
			return good, nil
		}
	}
	if c.unserved > 0 {
		return 0, c.bad
	}
	c.refuse(c.bad)
	return 0, io.EOF
}

// Write replaces net/http's own refusal, should it find something that a Conn does not,
// with one in our words.
func (c *Conn) Write(p []byte) (int, error) {
	switch {
	case c.over:
		return len(p), nil
	case c.replying:
		return c.Conn.Write(p)
	}
	status := http.StatusBadRequest
	if lead := len("HTTP/1.1 "); len(p) >= lead+3 {
		if n, err := strconv.Atoi(string(p[lead : lead+3])); err == nil && n >= 400 {
			status = n
		}
	}
	bad := malformed("send it as RFC 9112 has it", "%s", http.StatusText(status))
	bad.Status = status
	c.refuse(bad)
	return len(p), nil
}

// refuse writes the refusal and ends the connection.
func (c *Conn) refuse(bad *Refusal) {
	c.over = true
	contentType, body := c.tell(bad)
	if WriteReply(c.Conn, bad.Status, contentType, body) != nil {
		return
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() != nil {
		return
	}
	c.Conn.SetReadDeadline(time.Now().Add(partingTime)) // an error ends the reads below
	io.CopyN(io.Discard, c.Conn, partingBytes)
}

// WriteReply writes a complete reply, the last one of a connection.
func WriteReply(nc net.Conn, status int, contentType string, body []byte) error {
	if err := nc.SetWriteDeadline(time.Now().Add(partingTime)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(nc, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), contentType, len(body), body)
	return err
}
