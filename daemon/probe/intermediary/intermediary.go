// Package intermediary recognises what answered in a provider's place: a proxy, a load
// balancer, a tunnel, a login, a web filter, a captive portal, or a gateway for models. It
// says what the intermediary did, and what to do about it.
//
// marks.go lists the marks of each, signin.go recognises those that want a person to sign
// in, gateway.go those whose errors look like a model server's, and telling.go puts it into
// words. It is pure, and knows nothing of kinds or of how the answer was fetched. It
// imports daemon/probe/complaint and the vocabulary.
package intermediary

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/providerd/providerd/daemon/probe/complaint"
	"github.com/providerd/providerd/store/provider"
)

// maxPage is how much of a page is searched for its author.
const maxPage = 16 << 10

// A deed is what an intermediary does with a request.
type deed uint8

const (
	asStatus      deed = iota // what its status says
	refuses                   // it does not let us pass
	passesRefusal             // it, or the server behind it, does not let us pass
	challenges                // it wants a browser
	signsIn                   // it wants a person
	wantsPassword             // it wants a user and a password of its own
	reachesNobody             // the server behind it does not answer
	waitsInVain               // the server behind it does not answer in time
	leadsNowhere              // it has no route for that path or host
	filters                   // it blocks that host for this network
	keepsOff                  // it keeps this machine off the network
	wantsProxyKey             // it wants a user name and a password from those who use it as a proxy
)

// A Speaker is what answered in a provider's place, and what it did. The zero value means
// nobody: the provider itself may have answered.
type Speaker struct {
	Who  string
	does deed
}

// IsProxy reports whether it is a proxy that clients are configured to use.
func (s Speaker) IsProxy() bool {
	return s.does == wantsProxyKey || strings.HasPrefix(s.Who, "the proxy ")
}

// IsKnown reports whether its name is known, and not only what it did.
func (s Speaker) IsKnown() bool { return s.Who != "" && s.Who != unknown && s.Who != someGateway }

// An Answer is what came back in a provider's place.
type Answer struct {
	Status   int
	Header   http.Header
	Body     []byte
	Page     bool     // the body is HTML
	Large    bool     // the body is only the beginning of one that is too large
	Broken   bool     // the body ended before its end
	URL      *url.URL // where it came from
	Led      bool     // a redirect led there
	Blocked  bool     // it is a redirect that was not followed
	To       *url.URL // the target of the redirect that was not followed; nil: none
	WantsTLS bool     // it says that it takes only TLS, and was asked without
	Said     *complaint.Complaint
}

func (a *Answer) isJSON() bool { return !a.Large && json.Valid(a.Body) }

func (a *Answer) isEmpty() bool { return len(bytes.TrimSpace(a.Body)) == 0 }

// Named recognises an intermediary by what only an intermediary says.
func Named(a *Answer) Speaker {
	if s := a.wall(); s.Who != "" {
		return s
	}
	if a.Status/100 == 3 || a.Status == 429 || a.WantsTLS {
		return Speaker{}
	}
	if a.Status == 407 || a.Status != 401 && a.Header.Get("Proxy-Authenticate") != "" {
		return Speaker{cmp.Or(Front(a.Header), "a proxy"), wantsProxyKey}
	}
	if a.Status == 511 { // RFC 6585: only a captive portal says so
		return Speaker{cmp.Or(Front(a.Header), "a captive portal"), keepsOff}
	}
	page := a.page()
	for i := range marks {
		if m := &marks[i]; m.holds(a, page) {
			s := m.speaker(a.Status)
			if s.does == asStatus && a.Status == 401 && wantsAny(a.Header, passwordSchemes) {
				s.does = wantsPassword
			}
			return s
		}
	}
	if a.saysProvider() {
		return Speaker{}
	}
	who, mute := frontOf(a.Header, page)
	empty := a.isEmpty() && !a.Large && !a.Broken
	title := ""
	if a.Page {
		title = titleOf(page)
	}
	switch {
	case a.Status >= 520 && a.Status <= 527, a.Status == 530: // Cloudflare's own (cloudflare/cloudflare-docs, cloudflare-5xx-errors; 527 is reported)
		return Speaker{cloudflare, reachesNobody}
	case a.Status == 401 && wantsAny(a.Header, passwordSchemes):
		return Speaker{orUnknown(who), wantsPassword}
	case a.Status == 401 && wantsAny(a.Header, domainSchemes):
		return Speaker{orUnknown(who), signsIn}
	case empty && mute && !a.isPassedOn() && a.Status >= 400 && a.Status != 401,
		empty && who != "" && a.Status == 200: // Caddy's answer if it has no route
		return Speaker{who, deedOf(a.Status)}
	case containsAny(title, botTitles):
		return Speaker{orUnknown(who), challenges}
	case strings.Contains(title, "tunnel") && a.Status == 404:
		return Speaker{"a tunnel", reachesNobody}
	case strings.Contains(title, "tunnel"): // a page that warns browsers, or asks for a password
		return Speaker{"a tunnel", challenges}
	}
	return Speaker{}
}

// Meant is the server that was asked, and may have answered.
type Meant struct {
	Title    string // its name for people
	Type     provider.Type
	Gateway  bool // it forwards requests itself
	Password bool // base_url has a user name and a password
}

// Unnamed recognises an intermediary by what no server of the meant sort says. If a service
// may answer in any shape, only a gateway without an answer is certain.
func Unnamed(a *Answer, m Meant) Speaker {
	if a.Status < 400 || a.Status == 429 || a.Status == 407 {
		return Speaker{}
	}
	if a.Said.Means(a.Status) != complaint.ByStatus(a.Status) { // about a key, money or a loading model: the provider's own words
		return Speaker{}
	}
	if a.saysProvider() {
		return a.gateway(m)
	}
	page := a.page()
	who, mute := frontOf(a.Header, page)
	anyShape := m.Type == provider.Generic
	switch {
	case a.WantsTLS:
	case a.Status == 451 && !a.isJSON(): // RFC 7725
		return Speaker{orUnknown(who), filters}
	case a.Status == 502, a.Status == 504: // RFC 9110: only from a gateway
		if !a.isJSON() || m.Type == provider.Local { // a vendor's own gateway may speak for it
			return Speaker{cmp.Or(who, someGateway), reachesNobody}
		}
	case a.Page && a.Status == 503 && (who != "" || strings.Contains(page, "503 service temporarily unavailable")) && !a.isPassedOn(): // nginx's words
		return Speaker{orUnknown(who), reachesNobody}
	case anyShape:
	case a.Status == 401: // a proxy that checks the key rejects it in its own words
	case a.Page && who != "" && !a.isPassedOn():
		return Speaker{who, deedOf(a.Status)}
	case who != "" && !mute && a.isEmpty() && a.Status == 403: // its own would be a page
		return Speaker{who, passesRefusal}
	case who != "" && a.isEmpty() && (a.Status == 403 || a.Status == 404):
		return Speaker{who, deedOf(a.Status)}
	case a.Status == 403 && len(a.Body) > 0 && !a.isJSON():
		return Speaker{orUnknown(who), refuses}
	case a.Status == 404 && isGoNotFound(a):
		return Speaker{"a proxy such as Traefik", leadsNowhere}
	}
	return Speaker{}
}

const (
	unknown     = "something in between"
	someGateway = "a gateway"
)

// botTitles are in the titles of pages that check for a human: those of Cloudflare, Vercel,
// Anubis, HUMAN and others, as reported.
var botTitles = []string{"just a moment", "attention required", "security checkpoint", "not a bot", "are you human", "are not a robot", "verify you are",
	"checking your browser", "captcha", "access to this page has been denied", "ddos-guard"}

// deedOf is what a status says that an intermediary did.
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

// saysProvider: it has the shape of a model server's error, whatever it passed through. An
// answer through a content delivery network is still the vendor's.
func (a *Answer) saysProvider() bool { return a.Said.Shaped }

// holds reports whether the answer has a mark. The words of a model server's own error do
// not count.
func (m *mark) holds(a *Answer, page string) bool {
	if m.header != "" && !hasHeader(a.Header, m.header, m.value) || m.status != 0 && m.status != a.Status {
		return false
	}
	if a.Status < 400 && (m.header == "" || m.header == "Server") && !a.Page {
		return false
	}
	if m.body == nil {
		return true
	}
	if m.header == "" && (m.does == filters || m.does == keepsOff || m.does == signsIn) && !a.Page {
		return false
	}
	return (m.json || !a.saysProvider()) && m.isIn(page) && (m.header != "" || a.Status/100 != 2 && a.Status != 404 || m.isMeant(page))
}

func (m *mark) isIn(text string) bool {
	return slices.ContainsFunc(m.body, func(s string) bool { return strings.Contains(text, s) })
}

// isMeant reports whether a page with a mark does what the mark stands for. Any
// application's page may have the mark, because it may link to a login or a filter.
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

func (m *mark) speaker(status int) Speaker {
	return Speaker{m.who, cmp.Or(m.does, deedOf(status))}
}

func hasHeader(h http.Header, name, prefix string) bool {
	values := h[textproto.CanonicalMIMEHeaderKey(name)]
	return len(values) > 0 && strings.HasPrefix(strings.ToLower(values[0]), prefix)
}

// Front is the server that an answer with those headers came from or through; "" if
// unknown.
func Front(h http.Header) string {
	who, _ := frontOf(h, "")
	return who
}

// frontOf is that server, which the page may show too, and whether its own errors have no
// body.
func frontOf(h http.Header, page string) (who string, mute bool) {
	server := strings.ToLower(h.Get("Server"))
	for i := range fronts {
		if f := &fronts[i]; server != "" && strings.HasPrefix(server, f.server) || f.page != "" && strings.Contains(page, f.page) {
			return f.who, f.mute
		}
	}
	if via := h.Get("Via"); via != "" {
		return "the proxy " + via, false
	}
	return "", false
}

// isPassedOn: Envoy and Kong say how long the server behind them took to answer.
func (a *Answer) isPassedOn() bool {
	return a.Header.Get("X-Envoy-Upstream-Service-Time") != "" || a.Header.Get("X-Kong-Upstream-Latency") != ""
}

// page is the beginning of the body, in lower case.
func (a *Answer) page() string {
	return strings.ToLower(string(a.Body[:min(len(a.Body), maxPage)]))
}

// No model server asks for one of these: those of RFC 7617 and 7616, and of Windows
// domains.
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

// isGoNotFound recognises the 404 of Go's own net/http (http.NotFound), which Traefik sends
// if it has no route. Other frameworks, such as Ollama's, use the same words without the
// header.
func isGoNotFound(a *Answer) bool {
	return string(bytes.TrimSpace(a.Body)) == "404 page not found" &&
		a.Header.Get("X-Content-Type-Options") == "nosniff"
}

func orUnknown(who string) string { return cmp.Or(who, unknown) }

// givenAway are the headers, or their beginnings, that show who answered.
var givenAway = []string{
	"Cf-Mitigated", "Cf-Cache-Status", "Cf-Error", "Ngrok-Error-Code", "X-Envoy-", "X-Amz-Cf-", "X-Amzn-Errortype", "X-Amzn-Waf-Action", "Apigw-Requestid",
	"X-Cache", "X-Served-By", "X-Varnish", "X-Squid-Error", "Proxy-Authenticate", "Proxy-Status", "X-Vercel-Error", "X-Vercel-Id",
	"X-Render-", "Rndr-Id", "X-Railway-", "Fly-Request-Id", "X-Azure-Ref", "Akamai-Grn", "X-Akamai-", "X-Kong-", "X-Iinfo", "X-Sucuri-",
	"X-Powered-By", "X-Goog-Iap-", "X-Olla-", "X-Litellm-Version", "X-Content-Type-Options",
}

// IsGivenAway reports whether a header, in canonical form, shows who answered.
func IsGivenAway(name string) bool {
	return slices.ContainsFunc(givenAway, func(begins string) bool { return strings.HasPrefix(name, begins) })
}

// containsAny looks for words, which must be in lower case.
func containsAny(text string, words []string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}
