package probe

import (
	"net/url"
	"strings"

	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/store/provider"
)

// spokenAs is the provider's address with another scheme and the same port: what base_url
// should be if the server speaks TLS and was asked without it, or the reverse.
func (p *Prober) spokenAs(scheme string) string {
	u, err := url.Parse(p.provider.Endpoint)
	if err != nil {
		return ""
	}
	port := transport.PortOf(u)
	u.Scheme = strings.TrimSuffix(scheme, "://")
	if u.Port() == "" && port != transport.PortOf(u) {
		u.Host += ":" + port
	}
	return u.String()
}

// redirected is the finding for a redirect that was not followed. Only a person can say
// whether the provider moved there, so nothing is sent there until then.
func (r *run) redirected(a *answer) finding {
	found := finding{saw: provider.BadResponse, detail: a.blocked}
	if base := r.p.movedTo(a); base != "" {
		found.hint = "if that is its address now: " + r.p.moveTo(base)
	}
	return found
}

// movedTo is the base_url that a redirect points to; empty if it points to a page other
// than the one requested, or from TLS to plain HTTP.
func (p *Prober) movedTo(a *answer) string {
	to := a.redirectsTo()
	if to == nil || to.Host == "" || to.Scheme != "https" && (to.Scheme != "http" || p.base.Scheme != "http") {
		return ""
	}
	page := strings.TrimPrefix(a.request.URL.Path, strings.TrimSuffix(p.base.Path, "/"))
	path, same := strings.CutSuffix(to.Path, page)
	if !same {
		return ""
	}
	base := url.URL{Scheme: to.Scheme, Host: to.Host, Path: strings.TrimSuffix(path, "/")}
	if base.String() == p.provider.Endpoint {
		return ""
	}
	return base.String()
}
