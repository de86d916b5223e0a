package transport

import (
	"context"
	"fmt"
	"net"
	"time"
)

// stagger is how long an address may take before the next is dialled in parallel (RFC 8305
// says 250 ms), so that a dead IPv6 route costs no more than that.
const stagger = 250 * time.Millisecond

// A dialled address is a connection, or the reason why there is none.
type dialled struct {
	conn    net.Conn
	address string
	err     error
}

// race dials the addresses in order, each when the one before fails or takes long, and
// returns the first connection. It waits for every dial that it started.
func (d *Dialer) race(ctx context.Context, t *Trace, network string, addresses []string) (won net.Conn, address string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan dialled)
	pending, next := 0, 0
	start := func() {
		if won != nil || next == len(addresses) {
			return
		}
		a := addresses[next]
		next, pending = next+1, pending+1
		go func() {
			c, err := d.DialOne(ctx, t, network, a)
			results <- dialled{c, a, err}
		}()
	}
	start()
	slow := time.NewTicker(stagger)
	defer slow.Stop()
	failed := &DialError{}
	for pending > 0 {
		select {
		case <-slow.C:
			start()
		case r := <-results:
			pending--
			switch {
			case r.err != nil:
				failed.Errs = append(failed.Errs, r.err)
				start()
			case won != nil:
				_ = r.conn.Close() // another address was faster
			default:
				won, address = r.conn, r.address
				cancel()
			}
		}
	}
	if won == nil {
		return nil, "", failed
	}
	return won, address, nil
}

// DialOne dials one address.
func (d *Dialer) DialOne(ctx context.Context, t *Trace, network, address string) (c net.Conn, err error) {
	defer recovered(&err)
	done := t.dialling(address)
	c, err = d.Connect(ctx, network, address)
	done(err)
	return c, err
}

// recovered turns a panic into an error: a dial may run in a goroutine of its own, or of
// net/http, where a panic would crash the daemon.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("%w: %v", ErrPanic, v)
	}
}
