package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"

	"github.com/providerd/providerd/store/provider"
)

// maxTakes is how many of the authorities that a server names are kept. Some servers name
// all that they know.
const maxTakes = 3

// A CertificateRequest is a server's request for a client certificate.
type CertificateRequest struct {
	Takes []string          // the names of some authorities that it accepts; none: it did not say
	Shown *x509.Certificate // what we sent; nil: nothing
	Fits  bool              // Shown is one that it accepts
}

// show is what crypto/tls calls if a server asks. It belongs to no connection, so a kept
// one holds no memory for it: the trace comes with the handshake's context.
func show(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	own := new(tls.Certificate) // empty: the server decides what follows
	t, ok := asked.Context().Value(traceKey{}).(*Trace)
	if !ok {
		return own, nil
	}
	r := &CertificateRequest{}
	for _, raw := range asked.AcceptableCAs[:min(len(asked.AcceptableCAs), maxTakes)] {
		r.Takes = append(r.Takes, nameOf(raw))
	}
	if offered := t.offered().own; offered != nil {
		own = offered
		r.Shown, r.Fits = offered.Leaf, asked.SupportsCertificate(offered) == nil
	}
	t.note(func() { t.request = r })
	return own, nil
}

// nameOf reads a distinguished name.
func nameOf(raw []byte) string {
	var sequence pkix.RDNSequence
	if _, err := asn1.Unmarshal(raw, &sequence); err != nil {
		return "a name that cannot be read"
	}
	var name pkix.Name
	name.FillFromRDNSequence(&sequence)
	return name.String()
}

// Requested is the server's request for a client certificate; nil if it made none, or if
// there was no handshake.
func (t *Trace) Requested() *CertificateRequest {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.request
}

// Requested is the request in the last handshake of any probe.
func (d *Dialer) Requested() *CertificateRequest { return d.tls.requested.Load() }

// Outdated is why a handshake did not use the current files of certificates; nil if it
// did.
func (t *Trace) Outdated() error { return t.offered().outdated }

func (t *Trace) offered() offer {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.offer
}

// carriedBy is ctx with the trace.
func (t *Trace) carriedBy(ctx context.Context) context.Context {
	if ctx.Value(traceKey{}) == t {
		return ctx
	}
	return carrier{ctx, t}
}

// step describes the request as evidence; nil for nil. The server's words are cleaned by
// clean.
func (r *CertificateRequest) step(clean func(string) string) *provider.ClientCertificateStep {
	if r == nil {
		return nil
	}
	step := &provider.ClientCertificateStep{}
	for _, name := range r.Takes {
		step.Takes = append(step.Takes, clean(name))
	}
	if r.Shown != nil {
		step.Shown, step.NotAfter = clean(r.Shown.Subject.String()), provider.Time{Time: r.Shown.NotAfter}
	}
	return step
}
