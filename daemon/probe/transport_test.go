package probe_test

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// TestProbe_RedirectToTLS: the kept connection is not used for another scheme.
func TestProbe_RedirectToTLS(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.HandlerFunc(jsonPage(body).ServeHTTP)) // its certificate is for example.com
	t.Cleanup(secure.Close)
	plain := httptest.NewServer(http.RedirectHandler("https://example.com/api/version", http.StatusFound))
	t.Cleanup(plain.Close)
	o := probe.Options{RootCAs: x509.NewCertPool(), Resolve: here}
	o.RootCAs.AddCert(secure.Certificate())
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		to := plain.Listener.Addr()
		if strings.HasSuffix(address, ":443") {
			to = secure.Listener.Addr()
		}
		return (&net.Dialer{}).DialContext(ctx, network, to.String())
	}
	pr := newProber(t, configured(t, "ollama", "http://example.com", ""), o)
	for range 2 {
		got := pr.Probe(t.Context(), probe.Ask{})
		if x := got.Evidence.Requests; got.Saw != provider.OK || len(x) != 2 || x[0].Reused || x[1].Reused {
			t.Errorf("saw %s %q: %+v", got.Saw, got.Detail, x)
		}
	}
}

func here(context.Context, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

// TestProbe_NameBeyondASCII: such a host is looked up and probed by its ASCII name.
func TestProbe_NameBeyondASCII(t *testing.T) {
	t.Parallel()
	const ascii = "xn--bcher-kva.example"
	var asked atomic.Value
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.Host)
		jsonPage(body).ServeHTTP(w, r)
	})
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	o := probe.Options{Resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
		if host != ascii {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		return here(ctx, host)
	}}
	pr := newProber(t, configured(t, "ollama", "http://bücher.example:"+u.Port(), ""), o)
	for range 2 {
		if got := pr.Probe(t.Context(), probe.Ask{}); got.Saw != provider.OK || asked.Load() != ascii+":"+u.Port() {
			t.Errorf("saw %s %q; asked as %v", got.Saw, got.Detail, asked.Load())
		}
	}
}

// TestProbe_Zipped: gzip is requested and understood, with and without a proxy.
func TestProbe_Zipped(t *testing.T) {
	t.Parallel()
	list := own(t, "openai").Body
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			w.WriteHeader(http.StatusNotAcceptable)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		_, _ = io.WriteString(z, list)
	})
	o := probe.Options{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(s.url) }}
	for _, base := range []string{"http://api.example/v1", s.url} {
		if got := once(t, configured(t, "openai", base, ""), o, probe.Ask{}); got.Saw != provider.OK {
			t.Errorf("%s: saw %s %q", base, got.Saw, got.Detail)
		}
	}
	empty := serve(t, page{status: 401, headers: map[string]string{"Content-Encoding": "gzip"}}.ServeHTTP)
	if got := once(t, configured(t, "openai", empty.url, ""), probe.Options{}, probe.Ask{}); got.Saw != provider.Unauthorized || got.Evidence.Requests[0].Error != "" {
		t.Errorf("empty: saw %s %q: %+v", got.Saw, got.Detail, got.Evidence.Requests)
	}
}
