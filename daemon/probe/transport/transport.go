// Package transport makes the connections of a probe, keeps one between probes, and records
// how each was made, layer by layer: the name, the dials, the listener, the TLS handshake.
// It knows no kind of provider and gives no verdict; the type of an error shows its layer.
//
// dial.go connects, race.go to the first of several addresses, twin.go to ::1 instead of
// 127.0.0.1; server.go finds out who serves an address of this machine, and whether it may
// have the key; tls.go does the handshake, tlsfiles.go keeps its certificate files,
// clientcert.go answers a server that asks for ours, and hello.go tells a TLS server from
// others; tunnel.go goes through a proxy; keepalive.go keeps the connection, request.go is
// a request, exchange.go carries it over a connection, and idle_*.go checks an idle
// connection; trace.go records it all.
//
// It imports the standard library, golang.org/x/sys, daemon/config, daemon/listener,
// daemon/probe/term, store/provider and store/userns.
package transport

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/providerd/providerd/daemon/listener"
)

// MaxHeader is the limit for the headers of an answer, in bytes.
const MaxHeader = 64 << 10

// Options are what a [Dialer] takes from outside. Now is required.
type Options struct {
	Now         func() time.Time
	Resolve     func(ctx context.Context, host string) ([]netip.Addr, error)         // nil: the system's resolver
	Dial        func(ctx context.Context, network, address string) (net.Conn, error) // nil: a [net.Dialer]
	RootCAs     *x509.CertPool                                                       // nil: the system's
	Listener    func(netip.AddrPort) (listener.Socket, error)                        // nil: [listener.At]
	Guarded     bool                                                                 // see [IsGuarded]
	Credentials *Credentials                                                         // what its handshakes need beyond RootCAs; nil: nothing
}

// An HTTP sends a Prober's requests. It speaks only HTTP/1.1: a probe has one request at a
// time, and a request that timed out would not close a dead HTTP/2 connection.
type HTTP interface {
	// Send sends a request and returns its answer, whose body must be closed before the
	// next request. Once ctx has ended, the error is its own.
	Send(ctx context.Context, req *Request) (*http.Response, error)
	// CloseIdleConnections closes the kept connection; its name is http.Transport's.
	CloseIdleConnections()
}

// New chooses a keeper if possible. Only proxies, and host names that are not ASCII, are
// left to net/http. bare are the headers of a request without the key; asks reports whether
// the HTTP finds out who listens before it sends the key, if the dialer is guarded.
func New(d *Dialer, base, proxy *url.URL, bare http.Header) (h HTTP, asks bool) {
	if proxy == nil && isASCII(base.Host) {
		return &keeper{dialer: d, bare: bare}, true
	}
	return newTunnel(d, base, proxy), false
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

func newTunnel(d *Dialer, base, proxy *url.URL) *tunnel {
	return &tunnel{
		Transport: newHTTPTransport(d, base, proxy), tls: &d.tls,
		socks: proxy != nil && base.Scheme == "https" && strings.HasPrefix(proxy.Scheme, "socks"),
	}
}

func newHTTPTransport(d *Dialer, base, proxy *url.URL) *http.Transport {
	t := &http.Transport{
		DialContext:            d.dialFor("http"),
		DialTLSContext:         d.dialFor("https"),
		TLSClientConfig:        d.tls.behindProxy(base),
		Protocols:              new(http.Protocols),
		MaxIdleConnsPerHost:    1,
		MaxResponseHeaderBytes: MaxHeader,
		ReadBufferSize:         2 << 10,
		WriteBufferSize:        1 << 10,
	}
	t.Protocols.SetHTTP1(true)
	if proxy != nil {
		t.Proxy = http.ProxyURL(proxy)
		if proxy.Scheme == "https" { // base's own handshake is net/http's
			t.DialTLSContext = d.dialProxy
		}
		t.OnProxyConnectResponse = func(ctx context.Context, u *url.URL, _ *http.Request, res *http.Response) error {
			if res.StatusCode != http.StatusOK {
				return &ProxyError{Host: u.Host, Status: res.Status}
			}
			trace := traceOf(ctx)
			trace.note(func() { trace.tunnelled = true })
			return nil
		}
	}
	return t
}

// dialFor is http.Transport's dial for a scheme. It is called in a goroutine of its own,
// with the values of the request's context but not its end.
func (d *Dialer) dialFor(scheme string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (_ net.Conn, err error) {
		defer recovered(&err)
		t := traceOf(ctx)
		return d.Open(t.ctx, t, scheme, address)
	}
}

// dialProxy is http.Transport's dial of a proxy that speaks TLS.
func (d *Dialer) dialProxy(ctx context.Context, _, address string) (_ net.Conn, err error) {
	defer recovered(&err)
	t := traceOf(ctx)
	return d.secure(t.ctx, t, address, d.tls.withProxy)
}
