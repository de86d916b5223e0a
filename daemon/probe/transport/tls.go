package transport

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A handshaker makes TLS connections and records the handshakes.
type handshaker struct {
	roots       *x509.CertPool // nil: this machine's
	now         func() time.Time
	protocols   []string     // see protocols
	credentials *Credentials // nil: none

	requested atomic.Pointer[CertificateRequest] // in the last handshake; nil: the server did not ask
}

var (
	overHTTP = []string{"http/1.1"}
	overGRPC = []string{"h2"}
)

// protocols are what a handshake offers to speak above TLS. Some servers refuse a handshake
// that offers none of theirs; a tls:// server may speak anything.
func protocols(scheme string) []string {
	switch scheme {
	case "tls":
		return nil
	case "grpcs":
		return overGRPC
	}
	return overHTTP
}

func (h *handshaker) config(host string) *tls.Config {
	return &tls.Config{
		RootCAs:    h.roots,
		ServerName: host,
		MinVersion: tls.VersionTLS12,
		NextProtos: h.protocols,
		Time:       h.now,
	}
}

// A handshake is done over a connection to an address, and closes it on failure.
type handshake func(ctx context.Context, t *Trace, raw net.Conn, address string) (net.Conn, error)

// withProvider is the handshake with the provider.
func (h *handshaker) withProvider(ctx context.Context, t *Trace, raw net.Conn, address string) (net.Conn, error) {
	config := h.config(hostOf(address))
	config.GetClientCertificate = show
	if err := h.offers(ctx, t); err != nil {
		_ = raw.Close() // nothing was said over it
		return nil, err
	}
	config.RootCAs = cmp.Or(t.offered().roots, h.roots)
	c, err := h.shake(t.carriedBy(ctx), t, raw, config)
	h.requested.Store(t.Requested())
	return c, err
}

// withProxy is the handshake with a proxy in between. The provider's authorities and client
// certificate do not apply to it.
func (h *handshaker) withProxy(ctx context.Context, t *Trace, raw net.Conn, address string) (net.Conn, error) {
	return h.shake(ctx, t, raw, h.config(hostOf(address)))
}

func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

func (h *handshaker) shake(ctx context.Context, t *Trace, raw net.Conn, config *tls.Config) (net.Conn, error) {
	began := h.now()
	c := tls.Client(raw, config)
	err := c.HandshakeContext(ctx)
	step := h.step(c.ConnectionState(), err)
	step.TookMS = provider.Milliseconds(h.now().Sub(began))
	if err != nil {
		step.Error = err.Error()
		t.Shook(step)
		_ = raw.Close() // the handshake's error is the one to report
		return nil, &HandshakeError{Err: err}
	}
	t.Shook(step)
	return c, nil
}

// offers notes what the probe's next handshake uses.
func (h *handshaker) offers(ctx context.Context, t *Trace) error {
	if h.credentials == nil {
		return nil
	}
	o, err := h.credentials.offer(ctx)
	if err == nil {
		t.note(func() { t.offer = o })
	}
	return err
}

// HasRoots reports whether there is any authority to trust. A system without a file of
// authorities has an empty pool.
func (d *Dialer) HasRoots() bool {
	roots := d.tls.roots
	if roots == nil {
		var err error
		if roots, err = x509.SystemCertPool(); err != nil {
			return false
		}
	}
	return !roots.Equal(x509.NewCertPool())
}

// step describes a handshake. If it failed because of the certificate, that is the offered
// one.
func (h *handshaker) step(s tls.ConnectionState, err error) *provider.TLSStep {
	step := &provider.TLSStep{}
	if s.Version != 0 {
		step.Version = tls.VersionName(s.Version)
	}
	offered := s.PeerCertificates
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) {
		offered = unverified.UnverifiedCertificates
	}
	if len(offered) == 0 {
		return step
	}
	leaf := offered[0]
	days := int(leaf.NotAfter.Sub(h.now()) / (24 * time.Hour))
	step.Issuer, step.Subject = leaf.Issuer.String(), leaf.Subject.String()
	step.NotAfter, step.DaysLeft = provider.Time{Time: leaf.NotAfter}, &days
	return step
}
