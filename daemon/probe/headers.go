package probe

import (
	"encoding/base64"
	"net/http"
	"net/url"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

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
