package probe_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A redirect that is not followed shows where the provider may have moved. One to another
// page, or from TLS to plain HTTP, does not.
func TestProbe_RedirectNamesTheBaseURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, kind, base, location, hint string }{
		{"another port and TLS", "ollama", "", "https://127.0.0.1:7/api/version", `write base_url = "https://127.0.0.1:7"`},
		{"another host", "ollama", "/below", "http://llm.example:8000/api/version", `write base_url = "http://llm.example:8000"`},
		{"below a path", "openai-compatible", "/v1", "https://llm.example/api/v1/models?key=1#x", `write base_url = "https://llm.example/api/v1"`},
		{"with a user", "openai-compatible", "/v1", "https://ada:word@llm.example/v1/models", `write base_url = "https://llm.example/v1"`},
		{"a service", "http", "/status", "https://llm.example/status", `write base_url = "https://llm.example/status"`},
		{"another page", "ollama", "", "https://llm.example/welcome", ""},
		{"no web", "ollama", "", "ftp://llm.example/api/version", ""},
		{"nowhere", "ollama", "", "http://[::1", ""},
		{"in a loop", "ollama", "", "/api/version", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", tt.location)
				w.WriteHeader(http.StatusMovedPermanently)
			})
			o := once(t, configured(t, tt.kind, s.url+tt.base, ""), probe.Options{}, probe.Ask{})
			if o.Saw != provider.BadResponse || (o.Hint == "") != (tt.hint == "") || !strings.Contains(o.Hint, tt.hint) || strings.Contains(o.Hint, "word") {
				t.Errorf("saw %s, hint %q, want %q in it", o.Saw, o.Hint, tt.hint)
			}
		})
	}
}

func TestProbe_RedirectFromTLSToNoneIsNotProposed(t *testing.T) {
	t.Parallel()
	ts := httptest.NewTLSServer(http.RedirectHandler("http://llm.example/api/version", http.StatusFound))
	t.Cleanup(ts.Close)
	o := once(t, configured(t, "ollama", ts.URL, ""), probe.Options{RootCAs: trusting(ts)}, probe.Ask{})
	if o.Saw != provider.BadResponse || o.Hint != "" {
		t.Errorf("saw %s, hint %q, want none", o.Saw, o.Hint)
	}
}

// The other scheme has another default port, but the server answered at the requested one.
func TestProbe_SchemeThatIsMeantKeepsThePort(t *testing.T) {
	t.Parallel()
	ts := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(ts.Close)
	address := strings.TrimPrefix(ts.URL, "https://")
	o := once(t, configured(t, "ollama", "http://llm.example", ""), probe.Options{
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		},
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}, probe.Ask{})
	if want := `base_url = "https://llm.example:80"`; o.Saw != provider.TLSFailure || !strings.Contains(o.Hint, want) {
		t.Errorf("saw %s %q, hint %q, want %q in it", o.Saw, o.Detail, o.Hint, want)
	}
}
