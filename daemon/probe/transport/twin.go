package transport

import (
	"context"
	"net"
	"net/netip"
	"slices"
)

// AlsoVersion6 lets a dialer of 127.0.0.1 try ::1 if nothing listens at 127.0.0.1. It is
// for default addresses: a server that binds localhost often gets only one of the two.
func (d *Dialer) AlsoVersion6() {
	at, err := netip.ParseAddrPort(d.Address)
	d.twin = d.Network == "tcp" && err == nil && at.Addr() == netip.MustParseAddr(loopbacks[1])
}

// withTwin are the addresses that one stands for. ::1 is the second unless Turn made it the
// first: a listener at ::1 while 127.0.0.1 is free may not be the one that is meant.
func (d *Dialer) withTwin(address string) []string {
	_, port, err := net.SplitHostPort(address)
	if !d.twin || err != nil || address != d.Address {
		return []string{address}
	}
	both := []string{address, net.JoinHostPort(loopbacks[0], port)}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.turned {
		slices.Reverse(both)
	}
	return both
}

// StandsIn reports whether ::1 answers because nothing listens at 127.0.0.1, which may
// change.
func (d *Dialer) StandsIn() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.twin && !d.turned && d.good != "" && d.good != d.Address
}

// inTurn dials the addresses one after the other, as long as nothing listens there. A
// problem with the second, such as a machine without IPv6, is not reported.
func (d *Dialer) inTurn(ctx context.Context, t *Trace, network string, addresses []string) (net.Conn, string, error) {
	failed := &DialError{}
	for _, address := range addresses {
		c, err := d.DialOne(ctx, t, network, address)
		if err == nil {
			return c, address, nil
		}
		refused := IsAny(err, Refused)
		if refused || len(failed.Errs) == 0 {
			failed.Errs = append(failed.Errs, err)
		}
		if !refused {
			break
		}
	}
	return nil, "", failed
}

// Turn makes this machine's other address the first one to dial, and returns both; ok is
// false if there is no other, or if none has worked yet.
func (d *Dialer) Turn(localhost bool) (from, to string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	host, port, err := net.SplitHostPort(d.good)
	i := slices.Index(loopbacks[:], host)
	if err != nil || i < 0 || !localhost && !d.twin {
		return "", "", false
	}
	from, to = d.good, net.JoinHostPort(loopbacks[1-i], port)
	d.good, d.turned = to, i > 0
	return from, to, true
}
