package transport

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/listener"
	"github.com/providerd/providerd/store/provider"
)

// maxAddresses is how many addresses of a DNS answer are dialled.
const maxAddresses = 8

// loopbacks are the addresses of localhost (RFC 6761, section 6.3), in the order of
// resolvers. A server often binds only one of them.
var loopbacks = [...]string{"::1", "127.0.0.1"}

// A Dialer makes a Prober's connections and remembers the address that worked.
type Dialer struct {
	resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	connect func(ctx context.Context, network, address string) (net.Conn, error) // nil: the system's
	now     func() time.Time
	tls     handshaker
	Network string // of the provider's own address: tcp, udp or unix
	Address string // host and port, or a path

	listener func(netip.AddrPort) (listener.Socket, error)
	guarded  bool
	twin     bool // ::1 stands in for 127.0.0.1

	mu       sync.Mutex
	turned   bool     // ::1 is dialled first, because 127.0.0.1 accepts and closes
	prepared net.Conn // a bare connect that the next request will use
	good     string   // the address that accepted last
	last     *Conn    // the last watched connection
	served   *Server  // the server of the last connection; nil: it is not on this machine
}

// NewDialer makes the dialer of the provider at base.
func NewDialer(base *url.URL, o Options) *Dialer {
	d := &Dialer{
		resolve: o.Resolve, connect: o.Dial, now: o.Now, Network: "tcp", listener: o.Listener, guarded: o.Guarded,
		tls: handshaker{roots: o.RootCAs, now: o.Now, protocols: protocols(base.Scheme), credentials: o.Credentials},
	}
	switch base.Scheme {
	case "unix":
		d.Network, d.Address = "unix", base.Path
	case "dns":
		d.Network = "udp"
		fallthrough
	default:
		d.Address = net.JoinHostPort(base.Hostname(), PortOf(base))
	}
	if d.resolve == nil {
		d.resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if d.listener == nil {
		d.listener = listener.At
	}
	return d
}

// PortOf is the port of a URL, given or by default.
func PortOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// Connect makes a connection to one address. It is not part of the evidence.
func (d *Dialer) Connect(ctx context.Context, network, address string) (net.Conn, error) {
	if d.connect != nil {
		return d.connect(ctx, network, address)
	}
	var system net.Dialer // not kept: it is larger than everything else here
	return system.DialContext(ctx, network, address)
}

// Prepare connects, and keeps the connection for the request that follows.
func (d *Dialer) Prepare(ctx context.Context, t *Trace) error {
	c, err := d.Dial(ctx, t, d.Network, d.Address)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.prepared = c
	d.mu.Unlock()
	t.enter(Connected)
	return nil
}

// Take returns the prepared connection, if there is one.
func (d *Dialer) Take() net.Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.prepared
	d.prepared = nil
	return c
}

// Drop closes a prepared connection that nobody used.
func (d *Dialer) Drop() {
	if c := d.Take(); c != nil {
		_ = c.Close() // nothing was sent over it
	}
}

// Open makes the connection for requests to an address of a scheme.
func (d *Dialer) Open(ctx context.Context, t *Trace, scheme, address string) (net.Conn, error) {
	if scheme == "https" {
		return d.Secure(ctx, t, address)
	}
	return d.plain(ctx, t, address)
}

// plain makes a watched connection, for http.
func (d *Dialer) plain(ctx context.Context, t *Trace, address string) (net.Conn, error) {
	raw, err := d.raw(ctx, t, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	c := &Conn{Conn: raw, keyless: d.served.IsDistrusted()}
	d.last = c
	d.mu.Unlock()
	t.Ready(c)
	return c, nil
}

// Secure makes a TLS connection, for https.
func (d *Dialer) Secure(ctx context.Context, t *Trace, address string) (net.Conn, error) {
	return d.secure(ctx, t, address, d.tls.withProvider)
}

func (d *Dialer) secure(ctx context.Context, t *Trace, address string, shake handshake) (net.Conn, error) {
	raw, err := d.raw(ctx, t, address)
	if err != nil {
		return nil, err
	}
	t.enter(Handshaking)
	c, err := shake(ctx, t, raw, address)
	if err != nil {
		return nil, err
	}
	t.Ready(nil)
	return c, nil
}

func (d *Dialer) raw(ctx context.Context, t *Trace, address string) (net.Conn, error) {
	if c := d.Take(); c != nil {
		return c, nil
	}
	if d.Network == "unix" {
		address = d.Address
	}
	return d.Dial(ctx, t, d.Network, address)
}

// Dial resolves the address and connects to the first of its hosts that accepts.
func (d *Dialer) Dial(ctx context.Context, t *Trace, network, address string) (net.Conn, error) {
	var c net.Conn
	var err error
	addresses := []string{address}
	if network == "tcp" {
		if addresses, err = d.Lookup(ctx, t, address); err != nil {
			return nil, err
		}
	}
	before, err := d.askWhoListens(network, addresses)
	if err != nil {
		return nil, err
	}
	if len(addresses) == 1 || d.twin { // most are: this needs no goroutine
		c, address, err = d.inTurn(ctx, t, network, addresses)
	} else {
		c, address, err = d.race(ctx, t, network, addresses)
	}
	if err != nil {
		return nil, err
	}
	var asked *listened
	if before != nil {
		asked = &before[slices.Index(addresses, address)]
	}
	by, err := d.meet(c, network, address, asked)
	if err != nil {
		_ = c.Close() // nothing was sent over it
		return nil, err
	}
	d.Remember(address, by)
	return c, nil
}

// Remember notes the address that works, to be dialled first, and its server.
func (d *Dialer) Remember(address string, by *Server) {
	d.mu.Lock()
	defer d.mu.Unlock()
	by.carryOver(d.served)
	d.good, d.served = address, by
	d.turned = d.turned && address != d.Address
}

// Server returns the server of the last connection; nil if it is not on this machine, or
// there is none.
func (d *Dialer) Server() *Server {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.served
}

// Lookup turns host:port into the addresses to dial, beginning with the one that worked
// last.
func (d *Dialer) Lookup(ctx context.Context, t *Trace, address string) ([]string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("split address: %w", err)
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return d.withTwin(net.JoinHostPort(connectable(addr), port)), nil
	}
	var hosts []string
	if config.IsLocalhost(host) {
		hosts = loopbacks[:]
		t.resolved(provider.ResolveStep{Host: host, Addresses: slices.Clone(hosts)})
	} else if hosts, err = d.ask(ctx, t, host); err != nil {
		return nil, err
	}
	addresses := make([]string, len(hosts))
	for i, h := range hosts {
		addresses[i] = net.JoinHostPort(h, port)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(addresses, d.good); i > 0 {
		addresses[0], addresses[i] = addresses[i], addresses[0]
	}
	return addresses, nil
}

// ask asks the resolver.
func (d *Dialer) ask(ctx context.Context, t *Trace, host string) ([]string, error) {
	t.enter(Resolving)
	began := d.now()
	addrs, err := d.resolve(ctx, host)
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
	}
	step := provider.ResolveStep{Host: host, TookMS: provider.Milliseconds(d.now().Sub(began))}
	if err != nil {
		step.Error = err.Error()
		t.resolved(step)
		return nil, &ResolveError{Host: host, Err: err}
	}
	for _, a := range addrs[:min(len(addrs), maxAddresses)] {
		step.Addresses = append(step.Addresses, connectable(a))
	}
	t.resolved(step)
	return step.Addresses, nil
}

// connectable is the address that a connection to addr reaches. An address to bind, such as
// 0.0.0.0, reaches this machine's loopback.
func connectable(addr netip.Addr) string {
	switch addr = addr.Unmap(); {
	case !addr.IsUnspecified():
		return addr.String()
	case addr.Is4():
		return "127.0.0.1"
	}
	return "::1"
}

// Where returns the address that accepted last, and "" before the first.
func (d *Dialer) Where() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.good
}

// MarkIdle marks the last connection as idle: what arrives from now on was not asked for.
func (d *Dialer) MarkIdle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last != nil {
		d.last.asked.Store(false)
	}
}
