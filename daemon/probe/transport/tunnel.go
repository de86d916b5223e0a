package transport

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A tunnel is the HTTP side of a Prober whose requests are sent by net/http, usually
// through a proxy. net/http does the handshake with the server behind the proxy.
type tunnel struct {
	*http.Transport
	tls   *handshaker
	socks bool // it is a SOCKS proxy, which reports no tunnel
}

// Send implements [HTTP].
func (u *tunnel) Send(ctx context.Context, req *Request) (*http.Response, error) {
	t := traceOf(ctx)
	if err := u.tls.offers(ctx, t); err != nil {
		return nil, err
	}
	shake := &tunnelled{trace: t, tls: u.tls, socks: u.socks}
	res, err := u.RoundTrip(req.http(httptrace.WithClientTrace(ctx, shake.hooks())))
	if failed := t.failedShake(); err != nil && failed != nil {
		return nil, &HandshakeError{Err: failed}
	}
	return res, err
}

// A tunnelled handshake is one that net/http does through a proxy.
type tunnelled struct {
	trace *Trace
	tls   *handshaker
	socks bool
	began time.Time
}

func (s *tunnelled) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		TLSHandshakeStart: func() {
			if !s.socks && !s.trace.IsTunnelled() { // it is the proxy's own, or was already noted
				return
			}
			s.began = s.tls.now()
			s.trace.note(func() { s.trace.tunnelled, s.trace.phase = true, Handshaking })
		},
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			if s.began.IsZero() {
				return
			}
			step := s.tls.step(state, err)
			step.TookMS = provider.Milliseconds(s.tls.now().Sub(s.began))
			if err != nil {
				step.Error = err.Error()
				s.trace.note(func() { s.trace.failed = err })
			} else {
				s.trace.enter(Connected)
			}
			s.trace.Shook(step)
			s.tls.requested.Store(s.trace.Requested())
		},
	}
}

// failedShake is why the handshake behind a proxy failed.
func (t *Trace) failedShake() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

// behindProxy is the configuration of such handshakes. net/http uses one for all of them,
// so a function of ours checks against the provider's authorities, which may change.
func (h *handshaker) behindProxy(base *url.URL) *tls.Config {
	c := h.config("")
	c.GetClientCertificate = show
	if h.credentials != nil && h.credentials.roots != nil {
		c.InsecureSkipVerify = true // VerifyConnection verifies, whatever this says
		c.VerifyConnection = func(s tls.ConnectionState) error { return h.verify(s, base.Hostname()) }
	}
	return c
}

// verify does what crypto/tls would do with those authorities. The host is that of
// base_url, because redirects to other hosts are not followed; the state does not have an
// IP address.
func (h *handshaker) verify(s tls.ConnectionState, host string) error {
	options := x509.VerifyOptions{
		Roots:         cmp.Or(h.credentials.roots.value.Load(), x509.NewCertPool()), // nil would mean this machine's
		CurrentTime:   h.now(),
		DNSName:       cmp.Or(s.ServerName, host),
		Intermediates: x509.NewCertPool(),
	}
	for _, c := range s.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	if _, err := s.PeerCertificates[0].Verify(options); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
	}
	return nil
}
