package complaint

import (
	"net/http"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// Limits reads what an answer's headers say is left of the provider's limits, at most
// [provider.MostLimits] of them. It is not only about failures: many vendors send it with
// every answer. may reports whether a text of the answer may be shown.
//
//   - x-ratelimit-{limit,remaining,reset}-{requests,tokens}, the reset as "6m0s" or "20ms":
//     OpenAI (developers.openai.com/api/docs/guides/rate-limits), Groq
//     (console.groq.com/docs/rate-limits), Azure
//     (learn.microsoft.com/azure/ai-foundry/openai/how-to/quota). With more after it: Cerebras
//     has requests-day and tokens-minute, in seconds
//     (inference-docs.cerebras.ai/support/rate-limits), Fireworks has tokens-prompt and
//     tokens-generated (docs.fireworks.ai/serverless/rate-limits), and Mistral has req-minute
//     and tokens-minute (mistralai/client-ts, issue 169).
//   - x-ratelimit-limit and the like without a word: requests, the reset since 1970 in
//     milliseconds, with refusals only (openrouter.ai/docs/api_reference/limits), or in seconds.
//     Beside them, x-tokenlimit-limit and the like: tokens. With -dynamic after either: what
//     the recent use allows (docs.together.ai/docs/rate-limits).
//   - ratelimitbysize-limit and the like, x-ratelimitbysize-limit-minute: tokens (Mistral).
//   - anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset},
//     the reset in RFC 3339 (docs.anthropic.com/en/api/rate-limits). For subscribers:
//     anthropic-ratelimit-unified-5h-{utilization,status,reset}, see window.go.
//   - RateLimit and RateLimit-Policy, and their older forms
//     (draft-ietf-httpapi-ratelimit-headers; huggingface.co/docs/hub/rate-limits).
//
// DeepSeek sends none of them (api-docs.deepseek.com/quick_start/rate_limit); its page about the
// balance is read elsewhere.
func Limits(h http.Header, now time.Time, may func(string) bool) []provider.Limit {
	var found budgets
	theirs := clockOf(h, now)
	for header, values := range h {
		if !strings.Contains(header, "imit") { // as most are; lower case would be a copy
			continue
		}
		about := budgetHeader(strings.ToLower(header))
		if about.field == notABudget {
			continue
		}
		for _, v := range values {
			if len(v) > maxLimitHeader || !may(header) || !may(v) {
				continue
			}
			if about.field == structured {
				found.readStructured(v)
			} else {
				found.of(about.name).set(about.field, v, about.unit, theirs)
			}
		}
	}
	return found.limits(now)
}

// maxLimitHeader is how many bytes of one header are read.
const maxLimitHeader = 1024

// A budgetField is what a header says of a budget.
type budgetField uint8

const (
	notABudget budgetField = iota
	whole
	remaining
	resets
	structured // all of them, of several budgets
	spent      // the share of a window that is used
	verdict    // whether a window lets requests pass
)

// An aboutBudget is what the name of a header says.
type aboutBudget struct {
	name  string
	field budgetField
	unit  time.Duration // of a reset's numbers
}

// budgetHeader reads a header's name in lower case: x-ratelimit-remaining-tokens,
// anthropic-ratelimit-input-tokens-reset, x-rate-limit-reset-after.
func budgetHeader(name string) (a aboutBudget) {
	name = strings.ReplaceAll(name, "rate-limit", "ratelimit")
	if name == "ratelimit" || name == "ratelimit-policy" {
		return aboutBudget{field: structured}
	}
	counted := "requests"
	_, rest, ok := strings.Cut(name, "ratelimit")
	if !ok {
		counted = "tokens"
		if _, rest, ok = strings.Cut(name, "tokenlimit"); !ok {
			return a
		}
	}
	if bySize, ok := strings.CutPrefix(rest, "bysize"); ok {
		counted, rest = "tokens", bySize
	}
	a.unit = time.Second
	var words []string
	for word := range strings.SplitSeq(rest, "-") {
		switch field := budgetFields[word]; {
		case word == "":
		case field != notABudget && a.field == notABudget:
			a.field = field
		case word == "ms" && a.field == resets:
			a.unit = time.Millisecond
		case a.field == resets && (word == "after" || word == "at" || word == "date" || word == "time"):
		case word == "req":
			words = append(words, "requests")
		default:
			words = append(words, word)
		}
	}
	switch {
	case len(words) == 0:
		words = []string{counted}
	case len(words) == 1 && (isPeriod(words[0]) || words[0] == "dynamic"):
		words = []string{counted, words[0]}
	}
	a.name = strings.Join(words, "_")
	if (a.field == spent || a.field == verdict) && !isWindow(a.name) {
		return aboutBudget{}
	}
	return a
}

var budgetFields = map[string]budgetField{"limit": whole, "remaining": remaining, "reset": resets, "utilization": spent, "status": verdict}

func isPeriod(word string) bool {
	switch word {
	case "second", "minute", "hour", "day", "week", "month":
		return true
	}
	return false
}

// A budget is what an answer says of one limit.
type budget struct {
	whole, remaining *float64
	reset            time.Duration // 0: unknown
}

// set takes the value of one header. Of several values, the one that leaves least counts.
func (b *budget) set(field budgetField, value string, unit time.Duration, theirs time.Time) {
	switch field {
	case whole:
		b.whole = smaller(b.whole, quantity(value))
	case remaining:
		b.remaining = smaller(b.remaining, quantity(value))
	case resets:
		b.reset = max(b.reset, untilReset(value, unit, theirs))
	case spent:
		b.setSpent(value)
	case verdict:
		b.setVerdict(value)
	}
}

// quantity reads a number, and the first of "100, 100;w=60"; nil if it means nothing.
func quantity(v string) *float64 {
	v, _, _ = strings.Cut(v, ",")
	v, _, _ = strings.Cut(v, ";")
	n, ok := number(strings.Trim(v, " \t\""))
	if !ok {
		return nil
	}
	return provider.Quantity(n)
}

func smaller(a, b *float64) *float64 {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

// untilReset reads the time until a reset, by the provider's clock; 0 if it is unknown, or
// so far away that nobody can mean it.
func untilReset(v string, unit time.Duration, theirs time.Time) time.Duration {
	v = strings.Trim(v, " \t\"")
	var wait time.Duration
	if n, ok := number(v); ok {
		wait = numericReset(n, unit, theirs)
	} else if d, err := time.ParseDuration(v); err == nil {
		wait = d
	} else if at, ok := readMoment(v); ok {
		wait = max(at.Sub(theirs), 0)
	} else {
		if wait, _ = When(v, unit, theirs); wait >= latest { // it may have been more
			return 0
		}
	}
	if wait < 0 || wait > provider.LongestReset {
		return 0
	}
	return wait
}

// numericReset reads a number of units or, if that would be more than a year, a time since
// 1970.
func numericReset(n float64, unit time.Duration, theirs time.Time) time.Duration {
	if n <= 0 {
		return 0
	}
	if n*float64(unit) <= float64(year) {
		return time.Duration(n * float64(unit))
	}
	for _, e := range epochs {
		if n < e.below {
			left := n*float64(e.unit) - float64(theirs.UnixNano())
			if left > float64(year) || left < 0 {
				return 0
			}
			return time.Duration(left)
		}
	}
	return 0
}

// budgets are those of one answer, by name.
type budgets map[string]*budget

func (all *budgets) of(name string) *budget {
	if *all == nil {
		*all = budgets{}
	}
	b := (*all)[name]
	if b == nil {
		b = &budget{}
		(*all)[name] = b
	}
	return b
}

// readStructured reads RateLimit: "burst";r=50;t=30 and RateLimit-Policy: "burst";q=100;w=60,
// and what came before them: limit=100, remaining=50, reset=30.
func (all *budgets) readStructured(header string) {
	for item := range strings.SplitSeq(header, ",") {
		name := ""
		for i, parameter := range strings.Split(item, ";") {
			key, value, given := strings.Cut(strings.TrimSpace(parameter), "=")
			if i == 0 && !given {
				if name = strings.Trim(key, `"`); quantity(name) != nil {
					break // the policy of an older form: 100;w=60
				}
				continue
			}
			if name == "" {
				name = "requests"
			}
			switch b := all.of(name); key {
			case "r", "remaining":
				b.set(remaining, value, time.Second, time.Time{})
			case "q", "limit":
				b.set(whole, value, time.Second, time.Time{})
			case "t", "reset":
				b.reset = max(b.reset, untilReset(value, time.Second, time.Unix(0, 0))) // in seconds
			}
		}
	}
}

// limits are the budgets as a row has them. One of which neither what is left nor the whole is
// known says nothing.
func (all budgets) limits(now time.Time) []provider.Limit {
	found := make([]provider.Limit, 0, len(all))
	for name, b := range all {
		name = provider.LimitName(name)
		if name == "" || b.remaining == nil && b.whole == nil {
			continue
		}
		l := provider.Limit{Name: name, Remaining: b.remaining, Limit: b.whole, At: provider.Time{Time: now}}
		if b.reset > 0 {
			l.ResetsAt.Time = now.Add(b.reset)
		}
		found = append(found, l)
	}
	if len(found) == 0 {
		return nil
	}
	return provider.FewLimits(found)
}
