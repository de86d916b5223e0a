package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// A keeper is the HTTP side of a Prober that reaches its provider straight. It
// keeps one connection between requests and, unlike http.Transport, nothing else:
// no goroutine waits at a resting connection and no buffer belongs to it, which
// for a thousand providers is most of the memory that they would take.
//
// The price is that nobody notices what happens to a connection while it rests
// before the next request looks. Like the Prober, it is not for concurrent use.
type keeper struct {
	dialer *Dialer
	bare   http.Header // a request's headers without the key

	kept   net.Conn // nil: none
	origin origin   // where kept leads
}

// Send implements [HTTP].
func (k *keeper) Send(ctx context.Context, req *Request) (*http.Response, error) {
	to := req.to
	if c := k.take(to); c != nil {
		res, err := k.send(ctx, c, req)
		if ctx.Err() != nil || err == nil && res.StatusCode != http.StatusRequestTimeout {
			return res, err
		}
		// The connection died while it rested, or just now; 408 is how some servers say that it rested too long. What
		// a probe asks may be asked twice, and a new connection tells what is the case now.
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

// take hands out the kept connection, if there is one, it leads there, and
// nothing happened to it while it rested.
func (k *keeper) take(to origin) net.Conn {
	if k.origin != to || k.kept != nil && !rested(k.kept) {
		k.CloseIdleConnections()
	}
	c := k.kept
	k.kept = nil
	return c
}

// rested reports whether nothing came over a connection since it was last used.
// A byte that did is no answer to the next request, and an end means that there
// will be none. Over TLS it may also be a session ticket, which is harmless, or
// an alert, which is not: they look alike from here, tickets come with the
// handshake and so before the first answer, and a new connection is always right.
func rested(c net.Conn) bool {
	switch c := c.(type) {
	case *Conn:
		return isSilent(c.Conn)
	case *tls.Conn:
		return isSilent(c.NetConn()) && isDrained(c)
	}
	return isSilent(c)
}

// isDrained reports whether no record is left of those that came together with
// the last answer. A deadline in the past lets it look at nothing else, and, other
// than for writing, does no harm to the connection.
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
		_ = k.kept.Close() // nothing is under way on it
		k.kept = nil
	}
}

// orEnd is err, unless it comes of the context's end.
func orEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
