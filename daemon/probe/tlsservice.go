package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// tlsService is anything that speaks TLS: tls://host:port. The handshake is the whole
// probe, and shows how long its certificate is valid.
var tlsService = kind{
	Kind: config.Kind{
		Name:     "tls",
		Type:     provider.Generic,
		Schemes:  []string{"tls"},
		Example:  "tls://example.org:443",
		Settings: []string{"expect_days"},
		Hints: provider.Hints{
			provider.TLSFailure: "renew or correct the certificate at {endpoint}; see: providerctl diagnose {id}",
		},
	},
	title: "the expected service",
	mute:  true,
	peculiar: func(p *config.Provider) (asker, error) {
		days := cmp.Or(p.Expect.Days, 14)
		return func(ctx context.Context, r *run) finding { return shakeHands(ctx, r, days) }, nil
	},
}

func shakeHands(ctx context.Context, r *run, days int) finding {
	began := r.p.now()
	c, err := r.p.dialer.Secure(ctx, r.trace, r.p.dialer.Address)
	if err != nil {
		return r.failure(err)
	}
	r.latency = r.p.now().Sub(began)
	state := c.(*tls.Conn).ConnectionState()
	_ = c.Close() // nothing was said over it
	ends := endsFirst(state.VerifiedChains)
	r.trace.GoodUntil(ends.NotAfter)
	return expiry(ends, state.PeerCertificates[0], r.p.now(), days)
}

// endsFirst is the certificate whose expiry will make the handshake fail. A certificate is
// only as good as those that signed it; if there are several paths to an authority, one is
// enough.
func endsFirst(chains [][]*x509.Certificate) *x509.Certificate {
	sooner := func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) }
	first := make([]*x509.Certificate, len(chains))
	for i, chain := range chains {
		first[i] = slices.MinFunc(chain, sooner)
	}
	return slices.MaxFunc(first, sooner)
}

// expiry is the finding about the time until then.
func expiry(ends, leaf *x509.Certificate, now time.Time, days int) finding {
	left := int(ends.NotAfter.Sub(now) / (24 * time.Hour))

	found := finding{saw: provider.OK, detail: "certificate expires " + inDays(left)}
	if !ends.Equal(leaf) {
		found.detail = fmt.Sprintf("certificate of its issuer %s expires %s", cmp.Or(ends.Subject.CommonName, ends.Subject.String()), inDays(left))
	}
	if left < days {
		found.saw = provider.CertificateExpiring
		found.detail += fmt.Sprintf(", but should be valid for %d", days)
	}
	return found
}

func inDays(n int) string {
	switch n {
	case 0:
		return "within a day"
	case 1:
		return "in 1 day"
	}
	return fmt.Sprintf("in %d days", n)
}
