package probe

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/providerd/providerd/daemon/probe/complaint"
	"github.com/providerd/providerd/store/provider"
)

// maxPage is how much of a page is looked through for who wrote it.
const maxPage = 16 << 10

// A deed is what something between us and a provider does with a request.
type deed uint8

const (
	asStatus      deed = iota // what its status says
	refuses                   // it does not let us pass
	passesRefusal             // it, or what it leads to, does not let us pass
	challenges                // it wants a browser
	signsIn                   // it wants a person
	wantsPassword             // it wants a user and a password of its own
	reachesNobody             // what it leads to does not answer
	waitsInVain               // what it leads to does not answer in time
	leadsNowhere              // it has no way for that path or host
	filters                   // it keeps this network from that host
	keepsOff                  // it keeps this machine off the network
	wantsProxyKey             // it wants a user name and a password from those who use it as a proxy
)

// A speaker is who answered in a provider's place, and what it did.
type speaker struct {
	who  string
	does deed
}

// between says that something else answered in the provider's place, and what to do
// there; a zero finding if the provider itself may have answered.
func (r *run) between(a *answer) finding {
	s := a.named()
	if _, is := r.certificateAsked(a); is && s.who == "" {
		return finding{} // it is about the handshake, and comes from whoever did that
	}
	if s.who == "" {
		s = a.unnamed(r.p.kind)
	}
	if r.isProxys(a, s) {
		return r.proxySays(a.status, a.statusLine())
	}
	return r.spoken(a, s)
}

// unlessBetween replaces a verdict if the last answer, which decided it, did not come
// from the provider.
func (r *run) unlessBetween(found finding) finding {
	a := r.last
	if found.saw != provider.WrongService && found.saw != provider.BadResponse || a == nil ||
		r.p.kind.Type == provider.Generic && !a.led || r.p.recognise(a) != "" { // of a service any shape may be right
		return found
	}
	if s := r.betweenByName(a); s.saw != "" {
		return s
	}
	return found
}

// orBetween is what a kind makes of an answer. If that is another program, it is who
// stands in between, with what the kind knows to try.
func (r *run) orBetween(found finding, a *answer) finding {
	if found.saw != provider.WrongService {
		return found
	}
	if s := r.between(a); s.saw != "" {
		s.detail = joined(s.detail, found.detail)
		return s
	}
	return found
}

// betweenByName is between, for what is certain whatever the kind makes of the answer.
func (r *run) betweenByName(a *answer) finding {
	s := a.named()
	if s.who != "" && r.isProxys(a, s) {
		return r.proxySays(a.status, a.statusLine())
	}
	return r.spoken(a, s)
}

// spoken makes a finding of a speaker.
func (r *run) spoken(a *answer, s speaker) finding {
	if s.who == "" {
		return finding{}
	}
	k := r.p.kind
	if s.does == reachesNobody && k.Type != provider.Cloud && (a.status == 504 || a.status == 524) { // RFC 9110, and Cloudflare's own
		s.does = waitsInVain
	}
	what := told[s.does]
	said := what.says
	if c := a.complaint(); !a.isHTML() && c.Message != "" && a.blocked == "" {
		said = c.Message
	}
	hint := what.hint
	if s.does == reachesNobody && k.Type == provider.Cloud {
		hint = "{who} in front of {endpoint} gets no answer from the vendor's servers: wait, or check the vendor's status page"
	}
	if s.does == wantsPassword && r.p.base.User != nil {
		hint = "{who} in front of {endpoint} rejects the user name and password in base_url: correct them, then: providerctl reload"
	}
	if name := k.AddrEnv; name != "" && k.Type == provider.Cloud && !r.p.provider.BaseURLGiven { // a local kind's variable is often no URL
		hint = strings.NewReplacer("base_url", name+" or base_url", "then: providerctl reload", "then restart providerd").Replace(hint)
	}
	named := strings.NewReplacer("{who}", s.who, "{path}", a.request.URL.Path)
	if s.who == unknown {
		hint = strings.Replace(hint, "{who}", "something", 1)
		if server := a.header.Get("Server"); server != "" {
			s.who += " (" + server + ")"
		}
	}
	by := fmt.Sprintf(": %s answers, not %s", s.who, k.title)
	if s.does == passesRefusal {
		by = " through " + s.who
	}
	return finding{
		saw:    provider.Intermediary,
		detail: a.statusLine() + by + ": " + named.Replace(said),
		hint:   named.Replace(hint),
	}
}

// told is what each deed is called, and what to do about it. It says nothing about the
// server behind, which was not heard.
var told = [...]struct{ says, hint string }{
	asStatus:      {"this is not the server's own answer", "check {who}, which answers at {endpoint} in the server's place; see: providerctl diagnose {id}"},
	refuses:       {"it refuses the request", "{who} in front of {endpoint} refuses the request: allow this machine there, or use an address that bypasses it; see: providerctl diagnose {id}"},
	passesRefusal: {"it, or the server behind it, refuses the request", "check {who} at {endpoint}, and the log of the server behind it: either may refuse this machine, or the host name that {who} sends; see: providerctl diagnose {id}"},
	challenges:    {"it only lets browsers through", "{who} in front of {endpoint} only lets browsers through: exempt this machine or the path {path} there, or use an address that bypasses it"},
	signsIn:       {"it wants a person to sign in", "{who} in front of {endpoint} wants a person to sign in: let programs through there, or use an address that bypasses it"},
	wantsPassword: {"it wants a user name and password of its own", "{who} in front of {endpoint} wants a user name and password: put them into base_url (https://USER:PASSWORD@HOST), then: providerctl reload"},
	reachesNobody: {"it gets no answer from the server behind it", "{who} at {endpoint} gets no answer from the server behind it: start that server, or correct the address it forwards to"},
	waitsInVain:   {"the server behind it does not answer in time", "{who} at {endpoint} gets no answer in time from the server behind it: look at that server's log, or restart it"},
	leadsNowhere:  {"it has no route for {path}", "{who} at {endpoint} has no route for {path}: correct its routes, or correct base_url, then: providerctl reload"},
	filters:       {"it blocks that host", "{who} on this network blocks {endpoint}: ask its administrator to allow that host"},
	keepsOff:      {"it wants a person to sign in to this network", "{who} keeps this machine off the network: sign in with a browser, or use another network"},
	wantsProxyKey: {"it wants a user name and password", "{who} wants a user name and password: put them into the proxy's address, as in http://USER:PASSWORD@HOST:PORT"},
}

// named knows an intermediary by what only an intermediary says.
func (a *answer) named() speaker {
	if a.err != nil || a.status == 0 {
		return speaker{}
	}
	if s := a.wall(); s.who != "" {
		return s
	}
	if a.status/100 == 3 || a.status == 429 || a.status == 400 && containsAny(a.excerpt(), httpsWanted) {
		return speaker{}
	}
	if a.status == 407 || a.status != 401 && a.header.Get("Proxy-Authenticate") != "" {
		return speaker{a.frontOr("a proxy"), wantsProxyKey}
	}
	if a.status == 511 { // RFC 6585: only a captive portal says so
		return speaker{a.frontOr("a captive portal"), keepsOff}
	}
	page := a.page()
	for i := range marks {
		if m := &marks[i]; m.holds(a, page) {
			s := m.speaker(a.status)
			if s.does == asStatus && a.status == 401 && wantsAny(a.header, passwordSchemes) {
				s.does = wantsPassword
			}
			return s
		}
	}
	if a.saysProvider() {
		return speaker{}
	}
	who, mute := a.front(page)
	empty := len(bytes.TrimSpace(a.body)) == 0 && a.whole()
	title := ""
	if a.isHTML() {
		title = titleOf(page)
	}
	switch {
	case a.status >= 520 && a.status <= 527, a.status == 530: // Cloudflare's own (cloudflare/cloudflare-docs, cloudflare-5xx-errors; 527 is reported)
		return speaker{cloudflare, reachesNobody}
	case a.status == 401 && wantsAny(a.header, passwordSchemes):
		return speaker{orUnknown(who), wantsPassword}
	case a.status == 401 && wantsAny(a.header, domainSchemes):
		return speaker{orUnknown(who), signsIn}
	case empty && mute && !a.isPassedOn() && a.status >= 400 && a.status != 401,
		empty && who != "" && a.status == 200: // Caddy's way to say that it has no route
		return speaker{who, deedOf(a.status)}
	case containsAny(title, botTitles):
		return speaker{orUnknown(who), challenges}
	case strings.Contains(title, "tunnel") && a.status == 404:
		return speaker{"a tunnel", reachesNobody}
	case strings.Contains(title, "tunnel"): // a page that warns browsers, or asks for a password
		return speaker{"a tunnel", challenges}
	}
	return speaker{}
}

// unnamed knows an intermediary by what no model server says. For a service whose
// answers may have any shape, only a gateway without an answer is certain.
func (a *answer) unnamed(k *kind) speaker {
	if a.status < 400 || a.status == 429 || a.status == 407 || a.err != nil {
		return speaker{}
	}
	if a.complaint().Means(a.status) != complaint.ByStatus(a.status) { // of a key, of money, of a model that loads: whose words they are
		return speaker{}
	}
	if a.saysProvider() {
		return a.gateway(k)
	}
	page := a.page()
	who, mute := a.front(page)
	anyShape := k.Type == provider.Generic
	html := a.isHTML()
	switch {
	case a.status == 400 && containsAny(a.excerpt(), httpsWanted):
	case a.status == 451 && !a.isJSON(): // RFC 7725
		return speaker{orUnknown(who), filters}
	case a.status == 502, a.status == 504: // RFC 9110: by nobody but a gateway
		if !a.isJSON() || k.Type == provider.Local { // a vendor's own gateway may speak for it
			return speaker{cmp.Or(who, someGateway), reachesNobody}
		}
	case html && a.status == 503 && (who != "" || strings.Contains(page, "503 service temporarily unavailable")) && !a.isPassedOn(): // nginx's words
		return speaker{orUnknown(who), reachesNobody}
	case anyShape:
	case a.status == 401: // a proxy that checks the key rejects it in its own words
	case html && who != "" && !a.isPassedOn():
		return speaker{who, deedOf(a.status)}
	case who != "" && !mute && len(bytes.TrimSpace(a.body)) == 0 && a.status == 403: // its own would be a page
		return speaker{who, passesRefusal}
	case who != "" && len(bytes.TrimSpace(a.body)) == 0 && (a.status == 403 || a.status == 404):
		return speaker{who, deedOf(a.status)}
	case a.status == 403 && len(a.body) > 0 && !a.isJSON():
		return speaker{orUnknown(who), refuses}
	case a.status == 404 && isGoNotFound(a):
		return speaker{"a proxy such as Traefik", leadsNowhere}
	}
	return speaker{}
}

const (
	unknown     = "something in between"
	someGateway = "a gateway"
)

// botTitles are in the titles of pages that try whether a person sits there: of
// Cloudflare, Vercel, Anubis, HUMAN and others, as reported.
var botTitles = []string{"just a moment", "attention required", "security checkpoint", "not a bot", "are you human", "are not a robot", "verify you are",
	"checking your browser", "captcha", "access to this page has been denied", "ddos-guard"}

// deedOf is what a status says of an intermediary that gives it.
func deedOf(status int) deed {
	switch {
	case status == 403, status == 406, status == 451:
		return refuses
	case status == 404, status == 410, status == 421, status == 405, status == 200:
		return leadsNowhere
	case status >= 500:
		return reachesNobody
	}
	return asStatus
}

// saysProvider: it has the shape of a model server's error, whatever it passed through.
// An answer through a content network is still its vendor's.
func (a *answer) saysProvider() bool { return a.complaint().Shaped }

// holds reports whether a mark is there. The words of a model server's own error show
// nobody else.
func (m *mark) holds(a *answer, page string) bool {
	if m.header != "" && !hasHeader(a.header, m.header, m.value) || m.status != 0 && m.status != a.status {
		return false
	}
	if a.status < 400 && (m.header == "" || m.header == "Server") && !a.isHTML() {
		return false
	}
	if m.body == nil {
		return true
	}
	if m.header == "" && (m.does == filters || m.does == keepsOff || m.does == signsIn) && !a.isHTML() {
		return false
	}
	return (m.json || !a.saysProvider()) && m.isIn(page) && (m.header != "" || a.status/100 != 2 && a.status != 404 || m.isMeant(page))
}

func (m *mark) isIn(text string) bool {
	return slices.ContainsFunc(m.body, func(s string) bool { return strings.Contains(text, s) })
}

// isMeant reports whether a page with a mark, which may be any application's, does what
// the mark stands for: a page with links to others names a login or a filter too.
func (m *mark) isMeant(page string) bool {
	switch m.does {
	case signsIn:
		return isSignIn(page) || m.isIn(titleOf(page))
	case filters:
		return containsAny(page, filterWords) || m.isIn(titleOf(page))
	case keepsOff:
		return isPortal(titleOf(page)) || strings.Contains(page, "wispaccessgatewayparam")
	}
	return true
}

var filterWords = []string{"blocked", "denied", "not allowed", "forbidden", "restricted", "could not be retrieved", "violat"}

func (m *mark) speaker(status int) speaker {
	return speaker{m.who, cmp.Or(m.does, deedOf(status))}
}

func hasHeader(h http.Header, name, prefix string) bool {
	values := h[textproto.CanonicalMIMEHeaderKey(name)]
	return len(values) > 0 && strings.HasPrefix(strings.ToLower(values[0]), prefix)
}

// front is the server that an answer came from or through, and whether its own errors
// have no body; "" if none is known.
func (a *answer) front(page string) (who string, mute bool) {
	server := strings.ToLower(a.header.Get("Server"))
	for i := range fronts {
		if f := &fronts[i]; server != "" && strings.HasPrefix(server, f.server) || f.page != "" && strings.Contains(page, f.page) {
			return f.who, f.mute
		}
	}
	if via := a.header.Get("Via"); via != "" {
		return "the proxy " + via, false
	}
	return "", false
}

func (a *answer) frontOr(other string) string {
	who, _ := a.front("")
	return cmp.Or(who, other)
}

// isPassedOn: Envoy and Kong say how long the server behind took for an answer.
func (a *answer) isPassedOn() bool {
	return a.header.Get("X-Envoy-Upstream-Service-Time") != "" || a.header.Get("X-Kong-Upstream-Latency") != ""
}

// page is the beginning of the body, in lower case.
func (a *answer) page() string {
	return strings.ToLower(string(a.body[:min(len(a.body), maxPage)]))
}

// No model server asks for one of these: RFC 7617 and 7616, and those of Windows domains.
var (
	passwordSchemes = []string{"basic", "digest"}
	domainSchemes   = []string{"negotiate", "ntlm", "kerberos"}
)

// wantsAny reports whether a 401 asks for a scheme.
func wantsAny(h http.Header, schemes []string) bool {
	return slices.ContainsFunc(h.Values("Www-Authenticate"), func(v string) bool {
		scheme, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(v)), " ")
		return slices.Contains(schemes, scheme)
	})
}

// isGoNotFound knows the 404 of Go's own net/http (http.NotFound), which Traefik sends
// if it has no route. Other frameworks, such as Ollama's, have the same words without
// the header.
func isGoNotFound(a *answer) bool {
	return string(bytes.TrimSpace(a.body)) == "404 page not found" &&
		a.header.Get("X-Content-Type-Options") == "nosniff"
}

func orUnknown(who string) string { return cmp.Or(who, unknown) }

// givenAway are the headers, or their beginnings, that show who answered.
var givenAway = []string{
	"Cf-Mitigated", "Cf-Cache-Status", "Cf-Error", "Ngrok-Error-Code", "X-Envoy-", "X-Amz-Cf-", "X-Amzn-Errortype", "X-Amzn-Waf-Action", "Apigw-Requestid",
	"X-Cache", "X-Served-By", "X-Varnish", "X-Squid-Error", "Proxy-Authenticate", "Proxy-Status", "X-Vercel-Error", "X-Vercel-Id",
	"X-Render-", "Rndr-Id", "X-Railway-", "Fly-Request-Id", "X-Azure-Ref", "Akamai-Grn", "X-Akamai-", "X-Kong-", "X-Iinfo", "X-Sucuri-",
	"X-Powered-By", "X-Goog-Iap-", "X-Olla-", "X-Litellm-Version", "X-Content-Type-Options",
}

func isGivenAway(name string) bool {
	return slices.ContainsFunc(givenAway, func(begins string) bool { return strings.HasPrefix(name, begins) })
}
