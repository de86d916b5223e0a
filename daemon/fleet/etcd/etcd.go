// Package etcd is the bus of a fleet over etcd's API of version 3, as etcd 3.4 and later
// serve it. It speaks that API itself: docs/decisions/own-etcd-client.md says why.
//
// A [Bus] has one connection, to one of the endpoints. If that fails, it moves to the next.
// A session outlives such a move if its lease is renewed in time. No call lasts longer
// than [Options.Call], and a message that is too large ends the call.
package etcd

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
)

// Options are how to reach etcd. Endpoints and Prefix are required.
type Options struct {
	Endpoints []string // https://host:port, or http:// for loopback addresses

	// TLS is called for each handshake, so that renewed certificates are used. [Files] makes
	// one. It is required if an endpoint is https.
	TLS func() (*tls.Config, error)

	Prefix string // of all keys; ends with a slash

	TTL        time.Duration // of the lease; default 15 s
	KeepAlive  time.Duration // between two renewals; default 5 s
	Unanswered time.Duration // a renewal that is not answered for that long ends the session; default 7 s
	Call       time.Duration // the limit of each call; default 3 s
	Verify     time.Duration // between two checks that the own key can be read; default 1 min
	Lag        time.Duration // a reader that takes no batch for that long gets all keys; default 5 s

	Log *slog.Logger // default: none
}

const (
	maxMessage = 4 << 20  // bytes of one message of the server's
	maxHeader  = 16 << 10 // bytes of its metadata
	maxKeys    = 32 << 20 // bytes of all keys and values below the prefix
	maxOps     = 100      // operations in a transaction; etcd's own limit is 128
	maxPage    = 64       // keys in an answer; a power of 4
)

// A Bus is a [bus.Bus].
type Bus struct {
	Options
	endpoints []endpoint
	connect   func(ctx context.Context, network, address string) (net.Conn, error)

	dialing chan struct{} // has room for whoever dials

	mu     sync.Mutex
	conn   *conn // in use; nil: none
	next   int   // endpoint to try next
	left   int64 // lease of a session that ended without giving it back; 0: none
	closed bool
}

var _ bus.Bus = (*Bus)(nil)

// An endpoint is where a server of etcd's listens.
type endpoint struct {
	name    string // as configured
	address string // host:port
	host    string
	tls     bool
}

// New checks the options. It does not connect.
func New(o Options) (*Bus, error) {
	if !strings.HasSuffix(o.Prefix, "/") || len(o.Prefix) < 2 {
		return nil, fmt.Errorf("prefix %q: must end with a slash", o.Prefix)
	}
	if len(o.Endpoints) == 0 {
		return nil, errors.New("no endpoint of etcd")
	}
	b := &Bus{Options: o, connect: new(net.Dialer).DialContext, dialing: make(chan struct{}, 1)}
	b.TTL = cmp.Or(o.TTL, 15*time.Second)
	b.KeepAlive = cmp.Or(o.KeepAlive, 5*time.Second)
	b.Unanswered = cmp.Or(o.Unanswered, 7*time.Second)
	b.Call = cmp.Or(o.Call, 3*time.Second)
	b.Verify = cmp.Or(o.Verify, time.Minute)
	b.Lag = cmp.Or(o.Lag, 5*time.Second)
	if o.Log == nil {
		b.Log = slog.New(slog.DiscardHandler)
	}
	if b.KeepAlive+b.Unanswered >= b.TTL {
		return nil, fmt.Errorf("a lease of %v ends before a renewal after %v is given up after %v", b.TTL, b.KeepAlive, b.Unanswered)
	}
	for _, name := range o.Endpoints {
		e, err := parseEndpoint(name)
		if err != nil {
			return nil, err
		}
		if e.tls && o.TLS == nil {
			return nil, fmt.Errorf("endpoint %s: no certificates", e.name)
		}
		b.endpoints = append(b.endpoints, e)
	}
	b.next = rand.IntN(len(b.endpoints)) // spreads the members
	return b, nil
}

// CheckEndpoint reports what is wrong with an endpoint's URL.
func CheckEndpoint(name string) error {
	_, err := parseEndpoint(name)
	return err
}

func parseEndpoint(name string) (endpoint, error) {
	u, err := url.Parse(name)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return endpoint{}, errors.New("an endpoint of etcd is https://host:port, nothing more") // its text may have a password
	}
	e := endpoint{
		name:    u.Scheme + "://" + u.Host,
		address: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "2379")),
		host:    u.Hostname(),
		tls:     u.Scheme == "https",
	}
	switch u.Scheme {
	case "https":
		return e, nil
	case "http":
		if ip := net.ParseIP(e.host); e.host == "localhost" || ip.IsLoopback() {
			return e, nil
		}
		return endpoint{}, fmt.Errorf("endpoint %s: http is for loopback addresses only; use https", e.name)
	}
	return endpoint{}, fmt.Errorf("endpoint %s: the scheme must be https", e.name)
}

// Close closes the connection. Sessions that are still open end as if etcd were gone.
func (b *Bus) Close() error {
	b.mu.Lock()
	c := b.conn
	b.conn, b.closed = nil, true
	b.mu.Unlock()
	if c != nil {
		c.close()
	}
	return nil
}

// use is the connection in use, or a new one. Of several callers, one dials.
func (b *Bus) use(ctx context.Context) (*conn, error) {
	select {
	case b.dialing <- struct{}{}:
		defer func() { <-b.dialing }()
	case <-ctx.Done():
		return nil, &Error{Problem: Silent}
	}
	b.mu.Lock()
	c, at, closed := b.conn, b.next%len(b.endpoints), b.closed
	b.mu.Unlock()
	if c != nil || closed {
		return c, closedError(closed)
	}
	e := b.endpoints[at]
	c, err := b.dial(ctx, e)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.next = at + 1
		return nil, classify(err, e.name, nil)
	}
	if b.closed {
		c.close()
		return nil, closedError(true)
	}
	b.conn = c
	return c, nil
}

func closedError(closed bool) error {
	if closed {
		return net.ErrClosed
	}
	return nil
}

// drop closes a connection that failed. The next one is to the next endpoint.
func (b *Bus) drop(c *conn, err error) {
	b.mu.Lock()
	used := b.conn == c
	if used {
		b.conn = nil
		b.next = (b.next + 1) % len(b.endpoints)
	}
	b.mu.Unlock()
	if used {
		b.Log.Debug("connection to etcd dropped", "endpoint", c.endpoint.name, "error", err)
		c.close()
	}
}

// try makes a call until it succeeds, fails for a reason that no other endpoint changes, or
// ctx ends, or it failed at each endpoint and rounds are used up; 0: no limit. The error is
// the most telling one of the last round.
func (b *Bus) try(ctx context.Context, rounds int, call func(context.Context, *conn) error) error {
	var told error
	pause := 50 * time.Millisecond
	for n := 1; ; n++ {
		c, err := b.use(ctx)
		if err == nil {
			if err = call(ctx, c); err == nil {
				return nil
			}
			b.listen(ctx, c)
			err = classify(err, c.endpoint.name, c)
			if !isDefinite(err) && ctx.Err() == nil {
				b.drop(c, err)
			}
		}
		if ctx.Err() == nil || told == nil {
			told = moreTelling(told, err)
		}
		if isDefinite(err) || errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return told
		}
		if n%len(b.endpoints) != 0 {
			continue
		}
		if rounds > 0 && n/len(b.endpoints) >= rounds {
			return told
		}
		if !sleep(ctx, pause/2+rand.N(pause/2)) {
			return told
		}
		pause = min(2*pause, time.Second)
	}
}

// sleep reports whether d has passed; false: ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
