package config

import (
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// setClient notes how programs that use the provider are told where it is. Nobody
// uses one that has no models.
func (p *Provider) setClient(kind *Kind) {
	if !kind.listsModels() {
		return
	}
	c := provider.Client{KeyEnv: p.clientKey(kind)}
	if strings.HasPrefix(p.Endpoint, "http") { // no client takes the path of a socket
		root := kind.root(p.Endpoint)
		if kind.OpenAI != "" {
			c.OpenAIBaseURL = root + strings.TrimSuffix(kind.OpenAI, "/")
		}
		if root == p.Endpoint { // or else the vendor's programs would put a path twice
			c.Env = kind.AddrEnv
		}
	}
	if c != (provider.Client{}) {
		p.Client = &c
	}
}

// clientKey is the variable that the configuration takes the key from or, where that
// is none, the one in which the vendor's own programs look for it.
func (p *Provider) clientKey(kind *Kind) string {
	if name, ok := strings.CutPrefix(p.KeySource, "env "); ok {
		return name
	}
	if len(kind.KeyEnv) > 0 {
		return kind.KeyEnv[0]
	}
	return ""
}

// root is the part of an endpoint that comes before the path of OpenAI's API, which
// some write into base_url, whole or as far as the version.
func (k *Kind) root(endpoint string) string {
	for path := strings.TrimSuffix(k.OpenAI, "/"); path != ""; path = path[:strings.LastIndexByte(path, '/')] {
		if before, ok := strings.CutSuffix(endpoint, path); ok {
			return before
		}
	}
	return endpoint
}

// ClientAt is Client for the endpoint that is shown: of localhost, that is the
// address that answered.
func (p *Provider) ClientAt(endpoint string) *provider.Client {
	if p.Client == nil || endpoint == p.Endpoint {
		return p.Client
	}
	at := *p.Client
	if path, ok := strings.CutPrefix(at.OpenAIBaseURL, p.Endpoint); ok {
		at.OpenAIBaseURL = endpoint + path
	}
	return &at
}
