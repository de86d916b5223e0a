package probe

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// isMisplaced reports whether a finding may come from a base_url with the wrong path. So
// may a 404 that looks like a proxy's.
func (r *run) isMisplaced(found finding) bool {
	switch found.saw {
	case provider.WrongService, provider.BadResponse:
		leads := r.last != nil && r.last.blocked != "" // the redirect already says where to look
		return r.answered && found.hint == "" && !leads
	case provider.Intermediary:
		return r.last != nil && r.last.status == 404
	}
	return false
}

// otherBase suggests the base_url that may be meant, going by the configured path, if an
// answer is not this kind's. In a diagnosis it tries that address too. It stays on the same
// host, so that nobody else gets the key.
func (r *run) otherBase(ctx context.Context, found finding, find bool) finding {
	if found.saw == provider.Unauthorized && found.hint == "" {
		found.hint = r.wantsKey()
	}
	if !r.isMisplaced(found) {
		return found
	}
	bases := r.p.kind.BasesInstead(r.p.provider.Endpoint)
	if len(bases) == 0 {
		return found
	}
	if find {
		return r.findBase(ctx, found, bases)
	}
	if found.saw != provider.Intermediary && strings.Contains(found.detail, " answers, not ") {
		return found // the other server is already known
	}
	if !strings.Contains(found.detail, "base_url") {
		found.detail += fmt.Sprintf(": try base_url = %q", bases[0])
	}
	in := ""
	if name := r.p.addressVariable(); name != "" {
		in = " in " + name
	}
	found.hint = fmt.Sprintf("perhaps base_url should be %q%s; to try it: providerctl diagnose {id}", bases[0], in)
	return found
}

// findBase tries the addresses until one is right.
func (r *run) findBase(ctx context.Context, found finding, bases []string) finding {
	latency, retryAt, last := r.latency, r.retryAt, r.last
	defer func() { r.latency, r.retryAt, r.last = latency, retryAt, last }()
	for _, base := range bases {
		there := r.at(ctx, base)
		switch {
		case ctx.Err() != nil: // the first answer used up the time
			found.detail += fmt.Sprintf(": try base_url = %q, which did not answer in the time left", base)
			return found
		case there.saw.Healthy():
			found.detail += fmt.Sprintf(": base_url = %q works", base)
			found.hint = "it works there: " + r.p.moveTo(base)
			return found
		case slices.Contains(itsOwn, there.saw):
			found.detail += fmt.Sprintf(": base_url = %q is right, and the answer there is: %s", base, there.detail)
			found.hint = r.p.moveTo(base)
			return found
		}
	}
	found.detail += fmt.Sprintf(": base_url = %q does not work either", bases[0])
	return found
}

// itsOwn are the reasons that only the right page gives: any other says that there is no
// such page.
var itsOwn = []provider.Reason{
	provider.Unauthorized, provider.Forbidden, provider.QuotaExhausted, provider.RateLimited, provider.Loading,
}

// at decides as if base_url had another path on the same host.
func (r *run) at(ctx context.Context, base string) finding {
	u, err := url.Parse(base)
	if err != nil || !strings.EqualFold(u.Host, r.p.base.Host) || u.Scheme != r.p.base.Scheme {
		return finding{}
	}
	here, there := r.p, *r.p
	there.base, there.first, there.confirmed = u, nil, false
	r.p = &there
	defer func() { r.p = here }()
	return r.decide(ctx)
}

// moveTo says how to change base_url.
func (p *Prober) moveTo(base string) string {
	if name := p.addressVariable(); name != "" {
		return fmt.Sprintf("set %s to %s, then restart providerd", name, base)
	}
	return fmt.Sprintf("write base_url = %q in the configuration of {id}, then: providerctl reload", base)
}

// addressVariable is the variable that gives the provider's address; empty if the file
// gives it, or nothing does.
func (p *Prober) addressVariable() string {
	if p.provider.BaseURLGiven || p.provider.BaseURL == p.kind.BaseURL {
		return ""
	}
	return p.kind.AddrEnv
}
