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
	// partingTime is how long a refusal may take to be written, and then how long the
	// connection stays for a client that is still sending: it may read only afterwards.
	partingTime = 500 * time.Millisecond
	// partingBytes is how much of what it sends is thrown away meanwhile.
	partingBytes = 256 << 10
)

// A Conn hands net/http the requests on a connection that are well formed. The
// goroutine that serves the connection calls its methods, as net/http does: Read on
// another one only while a request is answered.
type Conn struct {
	net.Conn
	tell Teller

	scan     scanner
	unserved int  // requests passed on whose replies are not written whole
	replying bool // a handler has the connection
	bad      *Refusal
	over     bool // it has been refused
}

// A Teller makes the body of a refusal. It may note that there was one.
type Teller func(*Refusal) (contentType string, body []byte)

// NewConn makes a Conn of nc.
func NewConn(nc net.Conn, tell Teller) Conn { return Conn{Conn: nc, tell: tell} }

// BeginReply is to be called when a handler begins. What is written at any other time
// is net/http's own refusal.
func (c *Conn) BeginReply() { c.replying = true }

// EndReply is to be called when the connection is idle again ([http.StateIdle]).
func (c *Conn) EndReply() {
	c.replying = false
	c.unserved--
}

// Read passes on what is well formed. Behind that it refuses once all before is
// answered, and while it is not, returns the refusal: of a body it is the handler who
// tells it.
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

// Write puts a refusal in our words in place of net/http's own, should it find
// something that a Conn does not.
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

// refuse answers, and takes leave.
func (c *Conn) refuse(bad *Refusal) {
	c.over = true
	contentType, body := c.tell(bad)
	if WriteReply(c.Conn, bad.Status, contentType, body) != nil {
		return
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() != nil {
		return
	}
	c.Conn.SetReadDeadline(time.Now().Add(partingTime)) // an error ends the reading below
	io.CopyN(io.Discard, c.Conn, partingBytes)
}

// WriteReply writes a whole reply by hand, the last one of a connection.
func WriteReply(nc net.Conn, status int, contentType string, body []byte) error {
	if err := nc.SetWriteDeadline(time.Now().Add(partingTime)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(nc, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), contentType, len(body), body)
	return err
}
