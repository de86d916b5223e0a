package probe

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// chooseProxy decides once which proxy to use for the provider. Servers on this machine are
// reached directly, and so is a local kind over plain HTTP, which is a server on the same
// network.
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

// bareHeaders are what every request of a kind carries without a key or a password.
func bareHeaders(k *kind, agent string) http.Header {
	bare := http.Header{"User-Agent": {agent}, "Accept": {"application/json"}, "Accept-Encoding": {"gzip"}}
	if k.authorize != nil { // a kind may add headers that carry no key
		k.authorize(bare, "")
		maps.DeleteFunc(bare, func(_ string, values []string) bool { return values[0] == "" }) // where the key would be
	}
	return bare
}

// headers are what every request to the provider carries; bare are the same without
// secrets.
func headers(p *config.Provider, k *kind, base *url.URL, bare http.Header) http.Header {
	if !hasSecret(p, base) {
		return bare
	}
	all := bare.Clone()
	if base.User != nil {
		password, _ := base.User.Password()
		all.Set("Authorization", "Basic "+basic(base.User.Username(), password))
	}
	key := p.Key.Reveal()
	if key == "" {
		return all
	}
	bearer, alone := k.authorize == nil, k.authorize == nil
	if k.bearer != nil {
		bearer, alone = k.bearer(p, base)
	}
	if bearer {
		all.Set("Authorization", "Bearer "+key)
	}
	if !alone {
		k.authorize(all, key)
	}
	return all
}

// hasSecret reports whether requests to the provider carry a key or a password.
func hasSecret(p *config.Provider, base *url.URL) bool {
	return !p.Key.IsZero() || base.User != nil
}

func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}
