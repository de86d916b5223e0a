package probe_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// noon is the time of these tests.
var noon = time.Date(2026, time.May, 4, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// lasting is a server for 127.0.0.1, whose certificate and that of its issuer are valid for
// so long, and the authority of both.
func lasting(t *testing.T, leaf, issuer time.Duration, change func(*tls.Config)) (address string, roots *x509.CertPool) {
	t.Helper()
	n := int64(0)
	sign := func(name string, good time.Duration, ca bool, by *x509.Certificate, key *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		n++
		c := &x509.Certificate{
			SerialNumber: big.NewInt(n), Subject: pkix.Name{CommonName: name},
			NotBefore: noon.Add(-365 * day), NotAfter: noon.Add(good),
			IsCA: ca, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		}
		if by == nil {
			by, key = c, own
		}
		der, err := x509.CreateCertificate(rand.Reader, c, by, &own.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		return c, own
	}
	root, rootKey := sign("Root of nobody", 3650*day, true, nil, nil)
	middle, middleKey := sign("Issuer of nobody", issuer, true, root, rootKey)
	end, endKey := sign("server of nobody", leaf, false, middle, middleKey)
	roots = x509.NewCertPool()
	roots.AddCert(root)
	c := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{end.Raw, middle.Raw}, PrivateKey: endKey}}}
	if change != nil {
		change(c)
	}
	return talk(t, false, func(raw net.Conn) {
		peer := tls.Server(raw, c)
		if peer.Handshake() == nil {
			_, _ = io.Copy(io.Discard, peer)
		}
	}), roots
}

func TestTLS_Expiry(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name         string
		leaf, issuer time.Duration
		days         int
		saw          provider.Reason
		detail       string
	}{
		{"Good", 41*day + time.Hour, 400 * day, 0, provider.OK, "certificate expires in 41 days"},
		{"JustGood", 14 * day, 400 * day, 0, provider.OK, "certificate expires in 14 days"},
		{"Expiring", 14*day - time.Second, 400 * day, 0, provider.CertificateExpiring, "certificate expires in 13 days, but should be valid for 14"},
		{"Tomorrow", 25 * time.Hour, 400 * day, 0, provider.CertificateExpiring, "expires in 1 day,"},
		{"Today", time.Hour, 400 * day, 0, provider.CertificateExpiring, "expires within a day,"},
		{"AsConfigured", 41 * day, 400 * day, 60, provider.CertificateExpiring, "in 41 days, but should be valid for 60"},
		{"FewerAsConfigured", 3 * day, 400 * day, 2, provider.OK, "in 3 days"},
		{"Issuer", 41 * day, 5 * day, 0, provider.CertificateExpiring, "certificate of its issuer Issuer of nobody expires in 5 days"},
		{"Expired", -time.Hour, 400 * day, 0, provider.TLSFailure, "expired"},
		{"IssuerExpired", 41 * day, -time.Hour, 0, provider.TLSFailure, "expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address, roots := lasting(t, tt.leaf, tt.issuer, nil)
			p := configured(t, "tls", "tls://"+address, "")
			p.Expect.Days = tt.days
			o := once(t, p, probe.Options{RootCAs: roots, Now: func() time.Time { return noon }}, probe.Ask{Facts: true, DialFirst: true})
			if o.Saw != tt.saw || !strings.Contains(o.Detail, tt.detail) {
				t.Errorf("saw %s %q, want %s %q", o.Saw, o.Detail, tt.saw, tt.detail)
			}
			if step := o.Evidence.TLS; step == nil || step.Issuer != "CN=Issuer of nobody" || step.DaysLeft == nil {
				t.Errorf("evidence of the handshake: %+v", step)
			}
			if good, want := o.Evidence.TLS.GoodUntil, noon.Add(min(tt.leaf, tt.issuer)); tt.saw != provider.TLSFailure && !good.Equal(want) ||
				tt.saw == provider.TLSFailure && !good.IsZero() {
				t.Errorf("good until %v, want %v", good, want)
			}
			if n := len(o.Evidence.Dial); n != 1 {
				t.Errorf("dialled %d times", n)
			}
		})
	}
}

func TestTLS_Peers(t *testing.T) {
	t.Parallel()
	good, roots := lasting(t, 90*day, 400*day, nil)
	_, others := lasting(t, 90*day, 400*day, nil)
	picky, pickyRoots := lasting(t, 90*day, 400*day, func(c *tls.Config) { c.NextProtos = []string{"imap"} })
	old, oldRoots := lasting(t, 90*day, 400*day, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 })
	for _, tt := range []struct {
		name, address string
		roots         *x509.CertPool
		saw           provider.Reason
		detail        string
	}{
		{"Good", good, roots, provider.OK, "in 90 days"},
		{"SpeaksAnythingAbove", picky, pickyRoots, provider.OK, "in 90 days"},
		{"UnknownIssuer", good, others, provider.TLSFailure, "unknown authority"},
		{"WrongName", strings.Replace(good, "127.0.0.1", "localhost", 1), roots, provider.TLSFailure, "localhost"},
		{"TooOld", old, oldRoots, provider.TLSFailure, "version"},
		{"Refused", unused(t), roots, provider.ConnectionRefused, "refused"},
		{"Closes", talk(t, false, func(net.Conn) {}), roots, provider.ConnectionReset, "closed before"},
		{"SpeaksFirst", talk(t, false, func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_10.0\r\n") }), roots, provider.TLSFailure, "the server does not speak TLS"},
		{"SpeaksHTTPFirst", talk(t, false, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }), roots, provider.TLSFailure, "the server speaks plain HTTP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := configured(t, "tls", "tls://"+tt.address, "")
			o := once(t, p, probe.Options{RootCAs: tt.roots, Now: func() time.Time { return noon }}, probe.Ask{})
			if o.Saw != tt.saw || !strings.Contains(o.Detail, tt.detail) || strings.Contains(o.Detail, "://") {
				t.Errorf("saw %s %q, want %s %q", o.Saw, o.Detail, tt.saw, tt.detail)
			}
		})
	}
}
