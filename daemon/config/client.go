package config

import (
	"net/url"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// setClient notes how programs that use the provider are told where it is. Nobody
// uses one that has no models.
func (p *Provider) setClient(kind *Kind) {
	if !kind.listsModels() {
		return
	}
	c := provider.Client{KeyEnv: p.clientKey(kind), KeyEnvGuessed: p.keepsGatewaysKey(kind), Needs: p.clientNeeds()}
	if strings.HasPrefix(p.Endpoint, "http") { // no client takes the path of a socket
		root := kind.root(p.Endpoint)
		if kind.OpenAI != "" {
			c.OpenAIBaseURL = root + strings.TrimSuffix(kind.OpenAI, "/")
		}
		if root == p.Endpoint { // or else the vendor's programs would put a path twice
			c.Env = kind.AddrEnv
		}
	}
	if c.OpenAIBaseURL != "" || c.Env != "" || c.KeyEnv != "" || len(c.Needs) > 0 {
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

// keepsGatewaysKey reports whether the configuration has a key in a file for a gateway in
// a cloud vendor's place, so that the vendor's variable most likely has another.
func (p *Provider) keepsGatewaysKey(kind *Kind) bool {
	return kind.Type == provider.Cloud && kind.BaseURL != "" && len(kind.KeyEnv) > 0 &&
		strings.HasPrefix(p.KeySource, "file ") && hostOf(p.Endpoint) != hostOf(kind.BaseURL)
}

// clientNeeds is what the daemon sends and a program would have to bring itself.
func (p *Provider) clientNeeds() (needs []string) {
	if u, err := url.Parse(p.BaseURL); err == nil && u.User != nil {
		needs = append(needs, provider.NeedsPassword)
	}
	if p.TLS != nil && p.TLS.CertFile != "" {
		needs = append(needs, provider.NeedsCertificate)
	}
	return needs
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
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
