package probe

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// quotaCodes are the machine-readable words for a limit that waiting does not
// lift soon: money or a plan. Sources: the error references of OpenAI and
// Anthropic, and DeepSeek's and Moonshot's for the balance.
var quotaCodes = []string{
	"organization_spend_limit_exceeded", "project_spend_limit_exceeded", "organization_usage_limit_exceeded",
	"insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached",
	"billing_not_active", "billing_error", "quota_exceeded", "spend_limit_reached",
	"enforced_spend_limit_reached", "insufficient_balance", "insufficient_credits",
	"exceeded_current_quota_error", "usage_limit_reached",
}

// quotaWords are the same in prose. "billing" alone is not among them: OpenAI's
// ordinary rate limit advises a visit to the billing page.
var quotaWords = []string{
	"exceeded your current quota", "insufficient quota", "insufficient balance",
	"insufficient credit", "credit balance", "out of credit", "spend limit", "spending limit",
	"api usage limits", "monthly limit",
}

var overloadWords = []string{
	"overloaded", "over capacity", "at capacity", "capacity exceeded", "too busy", "server busy",
	"slow down",
}

// overloadCodes say that a 429 is about the vendor's capacity and not about this
// account. Moonshot's and Mistral's; prose does not count, because Moonshot says
// "overloaded" of its rate limits too.
var overloadCodes = []string{"engine_overloaded_error", "service_tier_capacity_exceeded"}

// httpsWanted are what servers answer to plain HTTP on a TLS port (Go, nginx,
// Apache), the latter two within an HTML page.
var httpsWanted = []string{
	"http request to an https server", "plain http request was sent to https port",
	"speaking plain http to an ssl-enabled server port",
}

var missingScope = regexp.MustCompile(`(?i)missing scopes?:\s*(?:[\w.]*\w,\s*)*[\w.]*\bmodels?\.read\b`)

// general says what a status means for every kind.
func (r *run) general(a *answer) finding {
	c := a.complaint()
	found := finding{detail: a.statusLine()}
	if c.message != "" {
		found.detail += ": " + c.message
	}
	found.saw = byBody(byStatus(a.status), c)
	switch {
	case found.saw != "":
	case a.status == 400 && containsAny(a.excerpt(), httpsWanted):
		return r.wantsTLS()
	case a.status >= 400:
		return r.foreign(a)
	default:
		found.saw = provider.BadResponse
		found.detail = "unexpected status " + found.detail
	}
	return found
}

// byStatus is what a status means by itself, for every kind; empty for one that
// says nothing of the provider, or not without the body.
func byStatus(status int) provider.Reason {
	switch {
	case status == 401:
		return provider.Unauthorized
	case status == 402:
		return provider.QuotaExhausted
	case status == 403:
		return provider.Forbidden
	case status == 429:
		return provider.RateLimited
	case status == 529:
		return provider.Overloaded
	case status >= 500:
		return provider.ServerError
	}
	return ""
}

// byBody is what a status means with what the answer says.
func byBody(saw provider.Reason, c complaint) provider.Reason {
	switch {
	case saw == provider.Unauthorized, saw == provider.Forbidden:
		return rejection(saw, c)
	case saw == provider.RateLimited:
		return limit(c)
	case saw == provider.ServerError && c.hasWord(overloadWords):
		return provider.Overloaded
	}
	return saw
}

// limit is what 429 means.
func limit(c complaint) provider.Reason {
	switch {
	case c.isQuota():
		return provider.QuotaExhausted
	case c.hasCode(overloadCodes):
		return provider.Overloaded
	}
	return provider.RateLimited
}

// rejection is what 401 and 403 mean. OpenAI answers a key that may not list
// models, and works for the rest, with either. Perplexity says 401 of a good key
// whose credit is used up.
func rejection(saw provider.Reason, c complaint) provider.Reason {
	switch {
	case missingScope.MatchString(c.message):
		return provider.ScopeLimited
	case c.hasCode(quotaCodes):
		return provider.QuotaExhausted
	}
	return saw
}

// foreign says what an answer is that has not the kind's shape: another kind's,
// which is named where it is known, or nothing that a kind would say.
func (r *run) foreign(a *answer) finding {
	k := r.p.kind
	if name := r.p.recognise(a); name != "" && name != k.title {
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
		return bad(fmt.Sprintf("the body broke off after %d bytes: %v", len(a.body), a.broken))
	case a.isHTML():
		return bad("an HTML page came back, not JSON")
	case len(a.body) == 0:
		return bad("the body is empty")
	case !a.isJSON():
		return bad("the body is not JSON")
	}
	return finding{saw: provider.WrongService, detail: fmt.Sprintf("JSON of another shape than %s's: %s", k.title, a.excerpt())}
}

// leaveV1 is what to do about the address that other clients want.
const leaveV1 = ": leave /v1 out of base_url"

// belowV1 reports whether base_url ends with /v1, for a kind of which some pages
// are elsewhere.
func (r *run) belowV1() bool {
	k := r.p.kind
	return k.Type == provider.Local && !k.anybody && !strings.HasSuffix(k.BaseURL, "/v1") &&
		strings.HasSuffix(strings.TrimSuffix(r.p.base.Path, "/"), "/v1")
}

// foreignError reads a 4xx to the kind's own path: with an error in the shape
// that model servers use, it is the right server with something wrong.
func foreignError(a *answer, k *kind) finding {
	c := a.complaint()
	if c.shaped {
		return finding{saw: provider.BadResponse, detail: a.statusLine() + ": " + c.message}
	}
	detail := fmt.Sprintf("%s at %s: not %s", a.statusLine(), a.request.URL.Path, k.title)
	if server := a.header.Get("Server"); server != "" {
		detail += ", but " + server
	}
	return finding{saw: provider.WrongService, detail: detail}
}

func (c complaint) isQuota() bool {
	return c.hasCode(quotaCodes) || c.hasWord(quotaWords)
}

func (c complaint) hasCode(codes []string) bool {
	return slices.ContainsFunc(c.codes, func(code string) bool { return slices.Contains(codes, code) })
}

// hasWord looks into the message and the codes.
func (c complaint) hasWord(words []string) bool {
	return containsAny(c.message+" "+strings.Join(c.codes, " "), words)
}

// containsAny looks for words, which are in lower case.
func containsAny(text string, words []string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}
