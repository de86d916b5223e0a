package probe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/providerd/providerd/daemon/probe/complaint"
	"github.com/providerd/providerd/store/provider"
)

// httpsWanted are the answers of servers to plain HTTP on a TLS port: Go's, nginx's and
// Apache's, the latter two within an HTML page.
var httpsWanted = []string{
	"http request to an https server", "plain http request was sent to https port",
	"speaking plain http to an ssl-enabled server port",
}

// wantsTLS reports whether the answer says that the server accepts only TLS.
func (a *answer) wantsTLS() bool { return a.status == 400 && containsAny(a.excerpt(), httpsWanted) }

// general decides what a status means for every kind.
func (r *run) general(a *answer) finding {
	if found, is := r.certificateAsked(a); is {
		return found
	}
	c := a.complaint()
	found := finding{detail: a.statusLine()}
	if c.Message != "" {
		found.detail += ": " + c.Message
	}
	found.saw = c.Means(a.status)
	switch {
	case found.saw == provider.Loading:
		found.detail += c.Estimate()
	case found.saw != "":
	case a.wantsTLS():
		return r.wantsTLS()
	case a.status >= 400:
		return r.foreign(a)
	default:
		found.saw = provider.BadResponse
		found.detail = "unexpected status " + found.detail
	}
	return found
}

// admits judges an answer that looks like a success but is an error. Gateways send such
// answers, and so do vendors with codes of their own (Baidu, MiniMax). An answer of another
// kind is left to the code that names it.
func (r *run) admits(a *answer) finding {
	if !a.whole() || !complaint.IsStructured(a.body) || r.intruder(a) != "" || isLMStudio(a) {
		return finding{}
	}
	c := a.complaint()
	saw := c.Admits()
	switch {
	case saw == "" && !c.Failed:
		return finding{}
	case saw == "":
		saw = provider.BadResponse
	case saw == provider.RateLimited, saw == provider.Overloaded:
		r.retryAt = r.toRetry(a)
	}
	return finding{saw: saw, detail: a.statusLine() + ", but the body is an error: " + c.Message}
}

// foreign is the finding for an answer without the kind's shape. It names the other kind,
// if it is known.
func (r *run) foreign(a *answer) finding {
	k := r.p.kind
	switch name := r.p.recognise(a); {
	case name == "" || name == k.title:
	case k.anybody && a.status == 404: // it may be the right server, at another path
		return finding{saw: provider.WrongService, detail: fmt.Sprintf("%s answers, but has no %s", name, a.request.URL.Path)}
	default:
		return finding{saw: provider.WrongService, detail: fmt.Sprintf("%s answers, not %s", name, k.title)}
	}
	if a.status >= 400 {
		found := foreignError(a, k)
		if a.status == 404 && r.belowV1() {
			found.detail += leaveV1
		}
		return found
	}
	bad := func(detail string) finding { return finding{saw: provider.BadResponse, detail: detail} }
	switch {
	case a.large:
		return bad(fmt.Sprintf("the body is larger than %d MiB", maxBody>>20))
	case a.broken != nil:
		return bad(fmt.Sprintf("the body ended early, after %d bytes: %v", len(a.body), a.broken))
	case a.isHTML():
		return bad("an HTML page came back, not JSON")
	case a.illegible() != "":
		return bad(a.illegible())
	case len(a.body) == 0:
		return bad("the body is empty")
	case !a.isJSON():
		return bad("the body is not JSON")
	}
	return finding{saw: provider.WrongService, detail: fmt.Sprintf("the JSON is not %s's: %s", k.title, a.excerpt())}
}

// leaveV1 is what to do about an address that is meant for other clients.
const leaveV1 = ": leave /v1 out of base_url"

// belowV1 reports whether base_url ends with /v1, for a kind with pages elsewhere.
func (r *run) belowV1() bool {
	k := r.p.kind
	return k.Type == provider.Local && !k.anybody && !strings.HasSuffix(k.BaseURL, "/v1") &&
		strings.HasSuffix(strings.TrimSuffix(r.p.base.Path, "/"), "/v1")
}

// foreignError reads a 4xx to the kind's own path: if the error has the shape that model
// servers use, it is the right server, and something is wrong with it.
func foreignError(a *answer, k *kind) finding {
	c := a.complaint()
	if c.Shaped && !isBareNotFound(a) {
		return finding{saw: provider.BadResponse, detail: a.statusLine() + ": " + c.Message}
	}
	detail := fmt.Sprintf("%s at %s: not %s", a.statusLine(), a.request.URL.Path, k.title)
	if server := a.header.Get("Server"); server != "" {
		detail += ", but " + server
	}
	return finding{saw: provider.WrongService, detail: detail}
}

// isBareNotFound recognises the 404 of web frameworks that has only the name of the status
// in "error": Spring Boot's (spring-projects/spring-boot DefaultErrorAttributes.java),
// NestJS's and Fastify's (fastify/fastify lib/four-oh-four.js).
func isBareNotFound(a *answer) bool {
	var body struct {
		Error string `json:"error"`
	}
	return a.status == 404 && a.decode(&body) && complaint.IsStatusText(body.Error)
}

// containsAny looks for words, which must be in lower case.
func containsAny(text string, words []string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}
