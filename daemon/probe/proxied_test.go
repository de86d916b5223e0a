package probe_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A fault of the proxy is reported as the proxy's, with what to do there, and never as the
// provider's, which was not reached.
func TestProbe_ProxyInTheWay(t *testing.T) {
	t.Parallel()
	says := func(status int) string { return serve(t, page{status: status}.ServeHTTP).url }
	for name, tt := range map[string]struct {
		proxy, base string
		saw         provider.Reason
		hint        string
	}{
		"wants a password":    {says(407), "https://api.example/v1", provider.Intermediary, "http://USER:PASSWORD@"},
		"refuses the host":    {says(403), "https://api.example/v1", provider.Intermediary, "ask its administrator"},
		"cannot reach it":     {says(502), "https://api.example/v1", provider.Intermediary, "gets no answer from api.example"},
		"has nobody":          {says(503), "https://api.example/v1", provider.Intermediary, "gets no answer from api.example"},
		"is too slow":         {says(504), "https://api.example/v1", provider.Intermediary, "gets no answer from api.example"},
		"is no proxy":         {says(404), "https://api.example/v1", provider.Intermediary, "check the proxy"},
		"wants one, plainly":  {says(407), "http://api.example/v1", provider.Intermediary, "http://USER:PASSWORD@"},
		"refuses, plainly":    {says(403), "http://api.example/v1", provider.Intermediary, "ask its administrator"},
		"has nobody, plainly": {says(503), "http://api.example/v1", provider.Intermediary, "gets no answer from api.example"},
		"closes, plainly":     {"http://" + talk(t, true, func(net.Conn) {}), "http://api.example/v1", provider.ConnectionReset, "check the proxy first"},
		"is silent, plainly":  {"http://" + talk(t, true, mute), "http://api.example/v1", provider.Hung, "check the proxy first"},
		"is another program":  {"http://" + talk(t, true, func(c net.Conn) { _, _ = io.WriteString(c, "\x05\xff") }), "http://api.example/v1", provider.NetworkUnreachable, "no http proxy listens"},
		"closes in its tunnel": {"http://" + talk(t, true, func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		}), "https://api.example/v1", provider.ConnectionReset, "check the proxy first"},
		"is down":          {"http://" + unused(t), "https://api.example/v1", provider.NetworkUnreachable, "does not answer: start it"},
		"is down, plainly": {"http://" + unused(t), "http://api.example/v1", provider.NetworkUnreachable, "does not answer: start it"},
		"has no name":      {"http://proxy.invalid:3128", "https://api.example/v1", provider.DNSFailure, "the proxy's name proxy.invalid cannot be resolved"},
	} {
		t.Run(name, func(t *testing.T) {
			p := configured(t, "openai", tt.base, "the-key")
			if tt.saw == provider.Hung {
				p.Timeout = deadline
			}
			o := once(t, p, probe.Options{
				Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(tt.proxy) },
				Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
					if host == "127.0.0.1" {
						return []netip.Addr{netip.MustParseAddr(host)}, nil
					}
					return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
				},
			}, probe.Ask{})
			variable := "HTTPS_PROXY"
			if strings.HasPrefix(tt.base, "http:") {
				variable = "HTTP_PROXY"
			}
			host := strings.TrimPrefix(tt.proxy, "http://")
			if o.Saw != tt.saw || !strings.Contains(o.Detail, host) {
				t.Errorf("saw %s %q, want %s that names the proxy %s", o.Saw, o.Detail, tt.saw, host)
			}
			for _, want := range []string{tt.hint, variable, "api.example to NO_PROXY"} {
				if !strings.Contains(o.Hint, want) {
					t.Errorf("the hint %q has no %q", o.Hint, want)
				}
			}
		})
	}
}
