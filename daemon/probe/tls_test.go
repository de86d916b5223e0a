package probe_test

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

func TestProbe_TLS(t *testing.T) {
	t.Parallel()
	ts := httptest.NewUnstartedServer(http.HandlerFunc(jsonPage(`{"version":"1"}`).ServeHTTP))
	ts.Config.ErrorLog = discard()
	ts.StartTLS()
	t.Cleanup(ts.Close)
	u, err := url.Parse(ts.URL)
	if err != nil {
		t.Fatal(err)
	}
	trusted := trusting(ts)
	here := func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	tests := []struct {
		name, url string
		options   probe.Options
		want      provider.Reason
		detail    string
	}{
		{"trusted", ts.URL, probe.Options{RootCAs: trusted}, provider.OK, ""},
		{"unknown issuer", ts.URL, probe.Options{}, provider.TLSFailure, "unknown authority"},
		{"expired", ts.URL, probe.Options{RootCAs: trusted, Now: func() time.Time { return ts.Certificate().NotAfter.Add(time.Hour) }}, provider.TLSFailure, "expired"},
		{"wrong name", "https://wrong.example:" + u.Port(), probe.Options{RootCAs: trusted, Resolve: here}, provider.TLSFailure, "not wrong.example"},
		{"plain HTTP", strings.Replace(ts.URL, "https://", "http://", 1), probe.Options{}, provider.TLSFailure, "should begin with https://"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := once(t, configured(t, "ollama", tt.url, ""), tt.options, probe.Ask{})
			if o.Saw != tt.want || !strings.Contains(o.Detail, tt.detail) {
				t.Errorf("saw %s %q, want %s %q", o.Saw, o.Detail, tt.want, tt.detail)
			}
			if !strings.HasPrefix(tt.url, "https://") {
				return
			}
			step := o.Evidence.TLS
			if step == nil || (step.Error == "") != (tt.want == provider.OK) {
				t.Errorf("evidence of the handshake: %+v", step)
			} else if step.Issuer == "" || step.DaysLeft == nil {
				t.Errorf("evidence lacks the certificate that was offered: %+v", step)
			} else if tt.want == provider.OK && (step.Version != "TLS 1.3" || *step.DaysLeft < 1) {
				t.Errorf("evidence of the handshake: %+v", step)
			}
		})
	}
}

// trusting are the authorities that make a test's server trusted.
func trusting(ts *httptest.Server) *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(ts.Certificate())
	return roots
}
