package probe

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/providerd/providerd/daemon/probe/intermediary"
	"github.com/providerd/providerd/store/provider"
)

// proxyVariable is the variable that names the proxy for a provider's address.
func (r *run) proxyVariable() string {
	if r.p.base.Scheme == "http" {
		return "HTTP_PROXY"
	}
	return "HTTPS_PROXY"
}

// aroundProxy is how to get past the proxy.
func (r *run) aroundProxy() string {
	return fmt.Sprintf("correct %s or add %s to NO_PROXY where providerd runs, then restart providerd", r.proxyVariable(), r.p.base.Hostname())
}

// proxyUnreached is what to do if the proxy itself does not answer.
func (r *run) proxyUnreached(saw provider.Reason) string {
	proxy := r.p.proxy
	if saw == provider.DNSFailure {
		return fmt.Sprintf("the proxy's name %s cannot be resolved: %s", proxy.Hostname(), r.aroundProxy())
	}
	return fmt.Sprintf("the proxy %s does not answer: start it, or %s", proxy.Host, r.aroundProxy())
}

// proxyIsNone is what to do if another program listens there, usually a proxy of another
// protocol.
func (r *run) proxyIsNone() string {
	proxy := r.p.proxy
	return fmt.Sprintf("no %s proxy listens at %s: %s", proxy.Scheme, proxy.Host, r.aroundProxy())
}

// proxyOrBehind is what to do if the proxy took a request and no answer came: it is unknown
// whose fault that is.
func (r *run) proxyOrBehind() string {
	return fmt.Sprintf("either the proxy %s or %s behind it does not answer: check the proxy first, or %s",
		r.p.proxy.Host, r.p.base.Host, r.aroundProxy())
}

// isProxys reports whether an answer is the configured proxy's own. Either it says so, or
// it is a typical error of proxies in words that no model server uses, and no tunnel hides
// the proxy from us.
func (r *run) isProxys(a *answer, s intermediary.Speaker) bool {
	switch {
	case r.p.proxy == nil || r.p.base.Scheme != "http" || strings.HasPrefix(r.p.proxy.Scheme, "socks"):
		return false
	case s.IsProxy():
		return true
	case s.IsKnown():
		return false
	}
	switch a.status {
	case 403, 407, 502, 503, 504:
		return a.err == nil && !a.isJSON()
	}
	return false
}

// proxySays is the finding if the proxy answered in the provider's place.
func (r *run) proxySays(status int, line string) finding {
	proxy, host := r.p.proxy.Host, r.p.base.Host
	hint := fmt.Sprintf("check the proxy %s, or %s", proxy, r.aroundProxy())
	switch {
	case status == 407:
		hint = fmt.Sprintf("the proxy %s wants a user name and password: put them into %s (http://USER:PASSWORD@%s), or add %s to NO_PROXY, then restart providerd",
			proxy, r.proxyVariable(), proxy, r.p.base.Hostname())
	case status == 401, status == 403, status == 405, status == 451:
		hint = fmt.Sprintf("the proxy %s does not let this machine reach %s: ask its administrator to allow that host, or %s", proxy, host, r.aroundProxy())
	case status >= 500:
		hint = fmt.Sprintf("the proxy %s gets no answer from %s: check the proxy and its network, or %s", proxy, host, r.aroundProxy())
	}
	return finding{saw: provider.Intermediary, detail: fmt.Sprintf("the proxy %s answered %s", proxy, line), hint: hint}
}

// statusOf is the number at the beginning of a status line.
func statusOf(line string) int {
	first, _, _ := strings.Cut(line, " ")
	n, _ := strconv.Atoi(first)
	return n
}
