package transport

import (
	"context"
	"fmt"
	"net"
	"time"
)

// stagger is how long an address may take before the next is dialled beside it
// (RFC 8305 says 250 ms), so that a dead IPv6 route costs that and no more.
const stagger = 250 * time.Millisecond

// A dialled address: a connection, or why there is none.
type dialled struct {
	conn    net.Conn
	address string
	err     error
}

// race dials the addresses one after the other, the next one when one fails or
// takes long, and returns the first connection. It waits for all it started.
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

// recovered makes a panic an error: a dial may run in a goroutine of its own, or
// of net/http, where a panic would end the daemon.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("%w: %v", ErrPanic, v)
	}
}
