package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// A keeper is the HTTP side of a Prober that reaches its provider directly. It keeps one
// connection between requests and, unlike http.Transport, nothing else: an idle connection
// has no goroutine and no buffer. For a thousand providers those would be most of the
// memory.
//
// The price is that only the next request notices what happened to an idle connection. Like
// the Prober, it is not for concurrent use.
type keeper struct {
	dialer *Dialer
	bare   http.Header // a request's headers without the key

	kept   net.Conn // nil: none
	origin origin   // of kept
}

// Send implements [HTTP].
func (k *keeper) Send(ctx context.Context, req *Request) (*http.Response, error) {
	to := req.to
	if c := k.take(to); c != nil {
		res, err := k.send(ctx, c, req)
		if ctx.Err() != nil || err == nil && res.StatusCode != http.StatusRequestTimeout {
			return res, err
		}
		// The connection died while it was idle, or just now; some servers say with 408
		// that it was idle for too long. A probe's requests can be repeated, and a new
		// connection shows the current state.
		if err == nil {
			_ = res.Body.Close() // it is not the answer
		}
	}
	c, err := k.dialer.Open(ctx, traceOf(ctx), to.scheme, to.address)
	if err != nil {
		return nil, orEnd(ctx, err)
	}
	k.origin = to
	return k.send(ctx, c, req)
}

// take returns the kept connection, if there is one, it has that origin, and nothing
// happened to it while it was idle.
func (k *keeper) take(to origin) net.Conn {
	if k.origin != to || k.kept != nil && !rested(k.kept) {
		k.CloseIdleConnections()
	}
	c := k.kept
	k.kept = nil
	return c
}

// rested reports whether nothing came over a connection since it was last used. A byte is
// not an answer to the next request, and a closed connection will not answer. Over TLS the
// bytes may also be a session ticket, which is harmless, or an alert, which is not. They
// look alike from here. Tickets come with the handshake, and so before the first answer,
// and a new connection is always right.
func rested(c net.Conn) bool {
	switch c := c.(type) {
	case *Conn:
		return isSilent(c.Conn)
	case *tls.Conn:
		return isSilent(c.NetConn()) && isDrained(c)
	}
	return isSilent(c)
}

// isDrained reports whether no record is left that came together with the last answer. A
// deadline in the past keeps it from reading anything else. Unlike one for writing, that
// does not harm the connection.
func isDrained(c *tls.Conn) bool {
	if c.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	n, err := c.Read(make([]byte, 1))
	return n == 0 && IsTimeout(err) && c.SetReadDeadline(time.Time{}) == nil
}

// CloseIdleConnections implements [HTTP].
func (k *keeper) CloseIdleConnections() {
	if k.kept != nil {
		_ = k.kept.Close() // nothing is in progress on it
		k.kept = nil
	}
}

// orEnd is err, or the context's error if that has ended.
func orEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
