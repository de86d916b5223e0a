package complaint

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// quotaCodes are the machine-readable words for a limit that does not pass soon:
// money or a plan. Sources: the error references of OpenAI and
// Anthropic, DeepSeek's and Moonshot's for the balance, and as noted.
var quotaCodes = []string{
	"organization_spend_limit_exceeded", "project_spend_limit_exceeded", "organization_usage_limit_exceeded",
	"insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached",
	"billing_not_active", "billing_error", "quota_exceeded", "spend_limit_reached",
	"enforced_spend_limit_reached", "insufficient_balance", "insufficient_credits",
	"exceeded_current_quota_error", "usage_limit_reached",
	"arrearage",    // Alibaba (help.aliyun.com/en/model-studio/error-code)
	"minimax:1008", // the balance (platform.minimax.io/docs/api-reference/errorcode)
	"insufficientbalanceerror", "payment_required",
	"quotaexceeded", "dailylimitexceeded", // Google's older APIs (403)
}

// doubtfulQuotaCodes are quotaCodes that some also use for a limit of tokens per minute.
var doubtfulQuotaCodes = []string{"insufficient_quota", "quota_exceeded", "quotaexceeded"}

// deadKeyCodes are words for a bad key that are not among the phrases.
var deadKeyCodes = []string{
	"authentication_error", "invalid_authentication_error", "unauthenticated", "unauthorized",
	"authenticationerror", "unrecognizedclientexception", "expiredtokenexception",
	"invalid_token", "token_invalidated",
	"minimax:1004", "minimax:2049",
}

var limitCodes = []string{
	"rate_limit_exceeded", "rate_limit_error", "rate_limit_reached_error", "too_many_requests",
	"throttling", "resource_exhausted",
	"minimax:1002", "minimax:1039", "minimax:1041", "minimax:2056",
}

// loadingCodes are states of a server that is not ready yet.
var loadingCodes = []string{"loading", "loading_model", "model_loading", "model_not_ready", "starting", "initializing", "warming_up"}

// overloadCodes say that a 429 is about the vendor's capacity and not about this account.
// They are Moonshot's, Mistral's and Volcengine's. Prose does not count, because Moonshot
// says "overloaded" for its rate limits too.
var overloadCodes = []string{"engine_overloaded_error", "service_tier_capacity_exceeded", "serveroverloaded"}

var missingScope = regexp.MustCompile(`(?i)missing scopes?:\s*(?:[\w.]*\w,\s*)*[\w.]*\bmodels?\.read\b`)

// ByStatus is what a status means by itself, for every kind; empty if it says nothing about
// the provider, or nothing without the body.
func ByStatus(status int) provider.Reason {
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

// Means is what the complaint and its status mean together, for every kind. A statement
// about the account wins over one about a limit, and that over the status.
func (c *Complaint) Means(status int) provider.Reason {
	saw := ByStatus(status)
	switch {
	case status < 400, status == 402, status == 404, status == 407:
		return saw
	case (status == 401 || status == 403) && missingScope.MatchString(c.Message):
		return provider.ScopeLimited // OpenAI answers with either if a key may not list models but works for the rest
	}
	switch account := c.account(); {
	case account == provider.QuotaExhausted,
		account == provider.Unauthorized && status != 429,
		account == provider.Forbidden && status != 401:
		return account
	}
	switch {
	case status == 429 && c.HasCode(overloadCodes):
		return provider.Overloaded
	case status >= 500 && c.isLoading():
		return provider.Loading
	case status >= 500 && c.Says(overloadPhrases):
		return provider.Overloaded
	case (status == 400 || status == 403 || status >= 500) && c.isLimit():
		return provider.RateLimited
	case status == 403 && !c.page && c.Says(refusedKeyPhrases):
		return provider.Unauthorized
	}
	return saw
}

// account is what the answer says about the account or its key, under any status; empty if
// it says nothing.
func (c *Complaint) account() provider.Reason {
	switch {
	case c.isQuota():
		return provider.QuotaExhausted
	case c.Says(shutOutPhrases):
		return provider.Forbidden
	case c.saysDeadKey(), c.HasCode(deadKeyCodes), !c.page && c.Says(deadAccountPhrases):
		return provider.Unauthorized
	}
	return ""
}

// saysDeadKey: a page for people is about an API key only if it says so; otherwise it is
// about their session.
func (c *Complaint) saysDeadKey() bool {
	return slices.ContainsFunc(deadKeyPhrases, func(phrase string) bool {
		return (!c.page || strings.Contains(phrase, "api key")) && saysPhrase(c.text, phrase)
	})
}

// Admits is the error that an answer that looks like a success admits; empty if none is
// recognised.
func (c *Complaint) Admits() provider.Reason {
	if account := c.account(); account != "" {
		return account
	}
	switch {
	case c.isLimit(), c.passes():
		return provider.RateLimited
	case c.isLoading():
		return provider.Loading
	case c.status != 0 && ByStatus(c.status) != "":
		return c.Means(c.status)
	case c.HasCode(overloadCodes), c.Failed && c.Says(overloadPhrases):
		return provider.Overloaded
	}
	return ""
}

// IsStructured reports whether a body is meant for programs: JSON, or a stream of events.
// Then it may be an error even if the status is a success.
func IsStructured(body []byte) bool {
	body = bytes.TrimSpace(body)
	return looksLikeJSON(body) || isEvent(body)
}

// isEvent recognises a stream of events, whose first may be an error.
func isEvent(body []byte) bool {
	return bytes.HasPrefix(body, []byte("data:")) || bytes.HasPrefix(body, []byte("event:"))
}

// isQuota reports whether waiting does not help: money, a plan, or a daily limit that does
// not say when it ends.
func (c *Complaint) isQuota() bool {
	switch {
	case c.Says(moneyPhrases), c.zero, saysZeroLimit(c.text):
		return true
	case len(c.limits) > 0:
		return c.isDaily() && c.longestWait(time.Unix(0, 0)) < believable
	case c.Says(passingPhrases), strings.Contains(c.said, alibabasMinute), c.Says(dayPhrases) && c.tellsWhen():
		return c.HasCode(quotaCodes) && !c.HasCode(doubtfulQuotaCodes)
	case c.HasCode(quotaCodes):
		return true
	}
	return (c.Says(quotaPhrases) || c.Says(advicePhrases) && !c.Says(limitPhrases)) && !retriesSoon(c.text)
}

// alibabasMinute is where Alibaba explains its limit of tokens per minute, for which it
// uses OpenAI's words for money (help.aliyun.com/en/model-studio/error-code).
const alibabasMinute = "error-code#token-limit"

// passes reports whether the answer names limits, and waiting lifts all of them.
func (c *Complaint) passes() bool { return len(c.limits) > 0 && !c.isQuota() }

func (c *Complaint) isLimit() bool {
	return c.passes() || c.Says(limitPhrases) || c.HasCode(limitCodes)
}

func (c *Complaint) isLoading() bool {
	return !c.Says(brokenPhrases) && (c.Says(loadingPhrases) || c.HasCode(loadingCodes) || c.estimated != "")
}

// Estimate is how long a model will take to load, by the server's own estimate.
func (c *Complaint) Estimate() string {
	seconds, ok := number(c.estimated)
	if !ok || seconds <= 0 {
		return ""
	}
	return ", for about " + scaled(seconds, time.Second).Round(time.Second).String()
}

// believable is the shortest wait that is believed for a daily limit. With a daily limit,
// Google sends the seconds until the next minute, and its own program does not believe them
// (google-gemini/gemini-cli packages/core/src/utils/googleQuotaErrors.ts).
const believable = 5 * time.Minute

// tellsWhen reports whether fields or prose say when to come back.
func (c *Complaint) tellsWhen() bool {
	return c.longestWait(time.Unix(0, 0)) > 0 || proseWait(c.said, time.Unix(0, 0)) > 0
}

// isDaily recognises a daily limit by its name.
func (c *Complaint) isDaily() bool {
	return slices.ContainsFunc(c.limits, func(name string) bool {
		return strings.Contains(name, "PerDay") || strings.Contains(name, "Daily")
	})
}

// saysZeroLimit: "limit: 0, model: …" means that the plan does not include it at all
// (google-gemini/gemini-cli issue 22486).
func saysZeroLimit(text string) bool {
	if strings.Contains(text, "(0/0 used)") { // MiniMax, if the plan lacks it; it gives a reset all the same; reported only
		return true
	}
	_, after, ok := strings.Cut(text, "quota exceeded for metric")
	_, after, limited := strings.Cut(after, "limit: 0")
	return ok && limited && (after == "" || strings.IndexByte("0123456789.", after[0]) < 0)
}

// retriesSoon: Google calls every limit an exceeded quota, and says when to retry if
// waiting helps.
func retriesSoon(text string) bool { return strings.Contains(text, "please retry in ") }

func (c *Complaint) HasCode(codes []string) bool {
	return slices.ContainsFunc(c.Codes, func(code string) bool { return slices.Contains(codes, code) })
}
