package probe

import (
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

const (
	maxHeader = 64 << 10 // bytes of an answer's headers
	maxBody   = 4 << 20  // bytes of an answer's body, decompressed
)

// A transport is the HTTP side of a Prober. It speaks HTTP/1.1 only: a probe has
// one request at a time, and a kept HTTP/2 connection that died would not be given
// up by a request that timed out on it.
type transport interface {
	http.RoundTripper
	CloseIdleConnections()
}

// newTransport chooses a keeper wherever that can do it. What it leaves to
// net/http is to speak to proxies, and to spell a host's name in ASCII.
func newTransport(d *dialer, base, proxy *url.URL, bare http.Header) transport {
	if proxy == nil && isPlain(base.Host) {
		return &keeper{dialer: d, bare: bare}
	}
	return newHTTPTransport(d, proxy)
}

func newHTTPTransport(d *dialer, proxy *url.URL) *http.Transport {
	t := &http.Transport{
		DialContext:            d.dialFor("http"),
		DialTLSContext:         d.dialFor("https"),
		TLSClientConfig:        d.tls.config(""), // behind a proxy net/http does the handshake
		Protocols:              new(http.Protocols),
		MaxIdleConnsPerHost:    1,
		MaxResponseHeaderBytes: maxHeader,
		ReadBufferSize:         2 << 10,
		WriteBufferSize:        1 << 10,
	}
	t.Protocols.SetHTTP1(true)
	if proxy != nil {
		t.Proxy = http.ProxyURL(proxy)
		t.OnProxyConnectResponse = func(ctx context.Context, u *url.URL, _ *http.Request, res *http.Response) error {
			if res.StatusCode != http.StatusOK {
				return &proxyError{host: u.Host, status: res.Status}
			}
			trace := traceOf(ctx)
			trace.note(func() { trace.tunnelled = true })
			return nil
		}
	}
	return t
}

// dialFor is http.Transport's dial for a scheme. It is called in a goroutine of
// its own, with the values of the request's context and not its end.
func (d *dialer) dialFor(scheme string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (_ net.Conn, err error) {
		defer recovered(&err)
		t := traceOf(ctx)
		return d.open(t.ctx, t, scheme, address)
	}
}

// chooseProxy asks once which proxy leads to the provider. What runs on this
// machine is reached straight, and so is a local kind's plain HTTP, which is a
// server on the same network.
func chooseProxy(p *config.Provider, base *url.URL, choose func(*http.Request) (*url.URL, error)) (*url.URL, error) {
	switch {
	case p.OnThisMachine(), base.Scheme != "http" && base.Scheme != "https",
		p.Type == provider.Local && base.Scheme == "http":
		return nil, nil
	}
	if choose == nil {
		choose = http.ProxyFromEnvironment
	}
	return choose(&http.Request{Method: http.MethodGet, URL: base})
}

// headers are what every request to the provider carries, and the same as they are
// without a key or a password: a kind may have others than those that carry one.
func headers(p *config.Provider, k *kind, base *url.URL, agent string) (all, bare http.Header) {
	if agent == "" {
		agent = "providerd"
	}
	h := http.Header{"User-Agent": {agent}, "Accept": {"application/json"}, "Accept-Encoding": {"gzip"}}
	bare = h.Clone()
	if k.authorize != nil {
		k.authorize(bare, "")
	}
	if password, ok := base.User.Password(); ok || base.User.Username() != "" {
		h.Set("Authorization", "Basic "+basic(base.User.Username(), password))
	}
	key := p.Key.Reveal()
	switch {
	case key == "":
		if k.authorize != nil {
			k.authorize(h, "")
		}
	case k.authorize != nil:
		k.authorize(h, key)
	default:
		h.Set("Authorization", "Bearer "+key)
	}
	return h, bare
}

func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}
