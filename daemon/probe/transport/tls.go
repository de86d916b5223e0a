package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A handshaker makes TLS connections and records how that went.
type handshaker struct {
	roots     *x509.CertPool
	now       func() time.Time
	protocols []string // see protocols
}

// protocols are what a handshake offers to speak above TLS. Some servers refuse
// one that offers nothing of theirs; what tls:// leads to may speak anything.
func protocols(scheme string) []string {
	switch scheme {
	case "tls":
		return nil
	case "grpcs":
		return []string{"h2"}
	}
	return []string{"http/1.1"}
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

// shake does the handshake over raw, which it closes when that fails.
func (h *handshaker) shake(ctx context.Context, t *Trace, raw net.Conn, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	began := h.now()
	c := tls.Client(raw, h.config(host))
	err = c.HandshakeContext(ctx)
	step := h.step(c.ConnectionState(), err)
	step.TookMS = provider.Milliseconds(h.now().Sub(began))
	if err != nil {
		step.Error = err.Error()
		t.Shook(step)
		_ = raw.Close() // the handshake's error is the one to tell
		return nil, &HandshakeError{Err: err}
	}
	t.Shook(step)
	return c, nil
}

// TLSStep describes a handshake that net/http did behind a proxy.
func (d *Dialer) TLSStep(s tls.ConnectionState) *provider.TLSStep { return d.tls.step(s, nil) }

// step describes a handshake. After a failed one the certificate is what was
// offered, where the failure was about it.
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
