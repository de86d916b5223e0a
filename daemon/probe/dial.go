package probe

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/listener"
	"github.com/providerd/providerd/store/provider"
)

// maxAddresses bounds what a strange DNS answer can make us dial.
const maxAddresses = 8

// loopbacks are what localhost means (RFC 6761, section 6.3), in the order in
// which resolvers give them. A server often binds only one of them.
var loopbacks = [...]string{"::1", "127.0.0.1"}

// A dialer makes a Prober's connections and remembers the address that worked.
type dialer struct {
	resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	connect func(ctx context.Context, network, address string) (net.Conn, error)
	now     func() time.Time
	tls     handshaker
	network string // of the provider's own address
	address string

	listener func(netip.AddrPort) (listener.Socket, error) // see [listener.At]
	guarded  bool                                          // see isGuarded

	mu       sync.Mutex
	prepared net.Conn // a bare connect that the next request will use
	good     string   // the address that accepted last
	last     *conn    // the watched connection made last
	served   *server  // who serves the connection made last; nil: it leaves this machine
}

func newDialer(base *url.URL, o Options) *dialer {
	d := &dialer{
		resolve: o.Resolve, connect: o.Dial, now: o.Now, network: "tcp", listener: o.Listener,
		tls: handshaker{roots: o.RootCAs, now: o.Now, protocols: protocols(base.Scheme)},
	}
	switch base.Scheme {
	case "unix":
		d.network, d.address = "unix", base.Path
	case "dns":
		d.network = "udp"
		fallthrough
	default:
		d.address = net.JoinHostPort(base.Hostname(), portOf(base))
	}
	if d.resolve == nil {
		d.resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if d.listener == nil {
		d.listener = listener.At
	}
	if d.connect == nil {
		d.connect = func(ctx context.Context, network, address string) (net.Conn, error) {
			var system net.Dialer // not kept: it is larger than all else here
			return system.DialContext(ctx, network, address)
		}
	}
	return d
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// prepare connects, and keeps the connection for the request that follows.
func (d *dialer) prepare(ctx context.Context, t *trace) error {
	c, err := d.dial(ctx, t, d.network, d.address)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.prepared = c
	d.mu.Unlock()
	t.enter(connected)
	return nil
}

// take hands out the prepared connection, if there is one.
func (d *dialer) take() net.Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.prepared
	d.prepared = nil
	return c
}

// drop closes a prepared connection that nobody used.
func (d *dialer) drop() {
	if c := d.take(); c != nil {
		_ = c.Close() // nothing was sent over it
	}
}

// open makes the connection that an address of a scheme is asked over.
func (d *dialer) open(ctx context.Context, t *trace, scheme, address string) (net.Conn, error) {
	if scheme == "https" {
		return d.secure(ctx, t, address)
	}
	return d.plain(ctx, t, address)
}

// plain makes a watched connection, for http.
func (d *dialer) plain(ctx context.Context, t *trace, address string) (net.Conn, error) {
	raw, err := d.raw(ctx, t, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	c := &conn{Conn: raw, keyless: d.served.isDistrusted()}
	d.last = c
	d.mu.Unlock()
	t.ready(c)
	return c, nil
}

// secure makes a TLS connection, for https.
func (d *dialer) secure(ctx context.Context, t *trace, address string) (net.Conn, error) {
	raw, err := d.raw(ctx, t, address)
	if err != nil {
		return nil, err
	}
	t.enter(shaking)
	c, err := d.tls.shake(ctx, t, raw, address)
	if err != nil {
		return nil, err
	}
	t.ready(nil)
	return c, nil
}

func (d *dialer) raw(ctx context.Context, t *trace, address string) (net.Conn, error) {
	if c := d.take(); c != nil {
		return c, nil
	}
	if d.network == "unix" {
		address = d.address
	}
	return d.dial(ctx, t, d.network, address)
}

// dial resolves the address and connects to the first of its hosts that accepts.
func (d *dialer) dial(ctx context.Context, t *trace, network, address string) (net.Conn, error) {
	var c net.Conn
	var err error
	addresses := []string{address}
	if network == "tcp" {
		if addresses, err = d.lookup(ctx, t, address); err != nil {
			return nil, err
		}
	}
	before := d.askWhoListens(network, addresses)
	if len(addresses) == 1 { // most are: this needs no goroutine
		address = addresses[0]
		if c, err = d.one(ctx, t, network, address); err != nil {
			err = &dialError{errs: []error{err}}
		}
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
	d.remember(address, d.meet(c, network, address, asked))
	return c, nil
}

// remember notes the address that works, to be dialled first, and who serves it.
func (d *dialer) remember(address string, by *server) {
	d.mu.Lock()
	defer d.mu.Unlock()
	by.carryOver(d.served)
	d.good, d.served = address, by
}

// servedBy returns who serves the connection made last; nil when it leaves this
// machine, or there is none.
func (d *dialer) servedBy() *server {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.served
}

// lookup turns host:port into the addresses to dial, the one that worked last first.
func (d *dialer) lookup(ctx context.Context, t *trace, address string) ([]string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("split address: %w", err)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{address}, nil
	}
	var hosts []string
	if isLocalhost(host) {
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
func (d *dialer) ask(ctx context.Context, t *trace, host string) ([]string, error) {
	t.enter(resolving)
	began := d.now()
	addrs, err := d.resolve(ctx, host)
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
	}
	step := provider.ResolveStep{Host: host, TookMS: milliseconds(d.now().Sub(began))}
	if err != nil {
		step.Error = err.Error()
		t.resolved(step)
		return nil, &resolveError{host: host, err: err}
	}
	for _, a := range addrs[:min(len(addrs), maxAddresses)] {
		step.Addresses = append(step.Addresses, a.Unmap().String())
	}
	t.resolved(step)
	return step.Addresses, nil
}

// where returns the address that accepted last, and "" before the first.
func (d *dialer) where() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.good
}

// rest marks the connection made last as idle: what arrives from now on was not
// asked for.
func (d *dialer) rest() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last != nil {
		d.last.asked.Store(false)
	}
}

func isLocalhost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
