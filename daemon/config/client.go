package config

import (
	"cmp"
	"maps"
	"net/url"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// setClient notes how to configure programs that use the provider, and how to control its
// server. Programs do not use providers without models.
func (p *Provider) setClient(kind *Kind) {
	defer p.setClientUnit()
	if !kind.listsModels() {
		return
	}
	c := provider.Client{
		KeyEnv: p.clientKey(kind), KeyEnvGuessed: p.keepsGatewaysKey(kind), KeyInFile: p.keepsKeyInFile(), Needs: p.clientNeeds(),
	}
	c.OpenAIBaseURL, c.Env = kind.clientAddress(p.Endpoint)
	if c.OpenAIBaseURL != "" || c.Env != "" || c.KeyEnv != "" || c.KeyInFile || len(c.Needs) > 0 {
		p.Client = &c
	}
}

// clientAddress is how programs are told of an endpoint: the base URL of OpenAI's clients, and the
// variable of the vendor's own.
func (kind *Kind) clientAddress(endpoint string) (openAI, env string) {
	if !strings.HasPrefix(endpoint, "http") {
		return "", "" // no client accepts the path of a socket
	}
	root := kind.root(endpoint)
	if kind.OpenAI != "" {
		openAI = root + strings.TrimSuffix(kind.OpenAI, "/")
	}
	if root == endpoint { // otherwise the vendor's programs would append a path twice
		env = kind.AddrEnv
	}
	return openAI, env
}

// ClientOf is how programs reach a server of that kind on another machine, without a key; nil if
// they cannot.
func ClientOf(name, endpoint string, kinds []Kind) *provider.Client {
	for i := range kinds {
		if kind := &kinds[i]; kind.Name == name && kind.listsModels() {
			c := provider.Client{}
			if c.OpenAIBaseURL, c.Env = kind.clientAddress(endpoint); c.OpenAIBaseURL != "" || c.Env != "" {
				return &c
			}
		}
	}
	return nil
}

func (p *Provider) setClientUnit() {
	if p.Unit == "" {
		return
	}
	if p.Client == nil {
		p.Client = &provider.Client{}
	}
	p.Client.Unit, p.Client.Bus = p.Unit, cmp.Or(p.Bus, "system")
	hints := maps.Clone(p.Hints) // the kind's own stay
	if hints == nil {
		hints = provider.Hints{}
	}
	hints[provider.ConnectionRefused] = "start it: providerctl start {id}"
	hints[provider.NotRunning] = hints[provider.ConnectionRefused]
	p.Hints = hints
}

// clientKey is the variable from which the configuration takes the key or, if there is none, the
// one that the vendor's own programs read.
func (p *Provider) clientKey(kind *Kind) string {
	if name, ok := strings.CutPrefix(p.KeySource, "env "); ok {
		return name
	}
	if len(kind.KeyEnv) > 0 {
		return kind.KeyEnv[0]
	}
	return ""
}

// keepsGatewaysKey reports whether the configuration has a file with the key of a gateway in
// place of a cloud vendor, so that the vendor's variable most likely has a different key.
func (p *Provider) keepsGatewaysKey(kind *Kind) bool {
	return kind.Type == provider.Cloud && kind.BaseURL != "" && len(kind.KeyEnv) > 0 &&
		p.keepsKeyInFile() && hostOf(p.Endpoint) != hostOf(kind.BaseURL)
}

func (p *Provider) keepsKeyInFile() bool { return strings.HasPrefix(p.KeySource, "file ") }

// clientNeeds is what the daemon sends and a program would have to send itself.
func (p *Provider) clientNeeds() (needs []string) {
	if u, err := url.Parse(p.BaseURL); err == nil && u.User.String() != "" {
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

// root is the part of an endpoint before the path of OpenAI's API. Some people write that path
// into base_url, completely or as far as the version.
func (k *Kind) root(endpoint string) string {
	for path := strings.TrimSuffix(k.OpenAI, "/"); path != ""; path = path[:strings.LastIndexByte(path, '/')] {
		if before, ok := strings.CutSuffix(endpoint, path); ok {
			return before
		}
	}
	return endpoint
}

// ClientAt is Client for the endpoint that is shown: for localhost, the address that answered.
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
