package probe

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

const (
	soonest = time.Second
	latest  = provider.LongestRetry
)

// retryAt reads from an answer's headers when the provider wants to be asked
// again; zero when they do not say. Where several limits are used up it is the
// last of their resets, and of retry-after; a limit that says it has something
// remaining does not count. The result lies between 1 s and 24 h after now. What is
// a moment, not a wait, is one of the provider's clock, which its date tells: ours
// may be years off.
//
// The headers: retry-after (RFC 9110), retry-after-ms (OpenAI, Azure),
// x-ratelimit-reset-requests beside x-ratelimit-remaining-requests and the like
// (OpenAI, Groq), x-rate-limit-reset-tokens (Azure, as in openai/openai-python,
// issue 937), anthropic-ratelimit-requests-reset beside
// anthropic-ratelimit-requests-remaining, ratelimitbysize-reset (Mistral),
// ratelimit-reset and ratelimit (two versions of the same IETF draft).
func retryAt(h http.Header, now time.Time) time.Time {
	theirs := now
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		theirs = date
	}
	wait := max(retryAfter(h, theirs), retryAfterMS(h), usedUp(h.Get("Ratelimit")))
	var unproven time.Duration // resets that no "remaining" goes with
	for name, values := range h {
		remaining, ok := remainingOf(name)
		if !ok || len(values) == 0 {
			continue
		}
		reset := parseReset(values[0], theirs)
		switch left := h.Get(remaining); {
		case left == "":
			unproven = max(unproven, reset)
		case isZero(left):
			wait = max(wait, reset)
		}
	}
	if wait == 0 {
		wait = unproven
	}
	if wait == 0 {
		return time.Time{}
	}
	return now.Add(bounded(wait))
}

func bounded(wait time.Duration) time.Duration { return min(max(wait, soonest), latest) }

// toRetry is when an answer says to ask again, in its headers or, where the kind
// knows to read that, in its body; the later of the two.
func (r *run) toRetry(a *answer) time.Time {
	now := r.p.now()
	at := retryAt(r.p.kind.binding(a.header), now)
	if r.p.kind.wait == nil || a.status < 400 {
		return at
	}
	if wait := r.p.kind.wait(a); wait > 0 && now.Add(bounded(wait)).After(at) {
		return now.Add(bounded(wait))
	}
	return at
}

// binding are the headers that tell when the next request may come.
func (k *kind) binding(h http.Header) http.Header {
	if after := h.Values("Retry-After"); k.refills && len(after) > 0 {
		return http.Header{"Retry-After": after, "Date": h.Values("Date")}
	}
	return h
}

// remainingOf returns the header that goes with a reset header.
func remainingOf(name string) (string, bool) {
	if len(name) < len("ratelimit-reset") { // as most are
		return "", false
	}
	lower := strings.ToLower(name)
	if !strings.Contains(lower, "ratelimit") && !strings.Contains(lower, "rate-limit") {
		return "", false
	}
	before, after, ok := strings.Cut(lower, "reset")
	return before + "remaining" + after, ok
}

// retryAfter is a number of seconds or a date. Unlike a reset, 0 is a statement:
// at once.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" { // as nearly always: that is no error, which would cost something to make
		return 0
	}
	if n, ok := number(v); ok && n >= 0 {
		return atLeastSoonest(scaled(n, time.Second))
	}
	if at, err := http.ParseTime(v); err == nil {
		return atLeastSoonest(at.Sub(now))
	}
	return 0
}

func retryAfterMS(h http.Header) time.Duration {
	n, _ := number(strings.TrimSpace(h.Get("Retry-After-Ms")))
	return scaled(n, time.Millisecond)
}

// usedUp is the longest wait for the limits in a RateLimit header that have
// nothing remaining: "api";r=0;t=55 (draft-ietf-httpapi-ratelimit-headers;
// huggingface.co/docs/hub/rate-limits).
func usedUp(header string) time.Duration {
	var wait time.Duration
	for limit := range strings.SplitSeq(header, ",") {
		remaining, reset := "", ""
		for parameter := range strings.SplitSeq(limit, ";") {
			switch name, value, _ := strings.Cut(strings.TrimSpace(parameter), "="); name {
			case "r":
				remaining = value
			case "t":
				reset = value
			}
		}
		if n, ok := number(reset); ok && isZero(remaining) {
			wait = max(wait, scaled(n, time.Second))
		}
	}
	return wait
}

// parseReset reads a reset in any of the forms in use: "6m0s", seconds, seconds
// or milliseconds since 1970, RFC 3339. It returns 0 for what it cannot read and
// for 0 and −1, by which some vendors mean that they do not say.
func parseReset(v string, now time.Time) time.Duration {
	v = strings.TrimSpace(v)
	if n, ok := number(v); ok {
		switch {
		case n >= 1e11:
			return atLeastSoonest(scaled(n-float64(now.UnixMilli()), time.Millisecond))
		case n >= 1e8: // three years: not a wait
			return atLeastSoonest(scaled(n-float64(now.UnixMilli())/1e3, time.Second))
		}
		return scaled(n, time.Second)
	}
	if d, err := time.ParseDuration(v); err == nil {
		return max(d, 0)
	}
	if at, err := time.Parse(time.RFC3339, v); err == nil {
		return atLeastSoonest(at.Sub(now))
	}
	return 0
}

// number reads a finite decimal number.
func number(v string) (float64, bool) {
	if v == "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(v, 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

// scaled is n units, between 0 and latest.
func scaled(n float64, unit time.Duration) time.Duration {
	if n <= 0 {
		return 0
	}
	return time.Duration(min(n*float64(unit), float64(latest)))
}

// atLeastSoonest: a moment that has just passed is one to wait for all the same,
// because clocks differ.
func atLeastSoonest(d time.Duration) time.Duration { return max(d, soonest) }

// isZero reports whether a remaining header says that nothing is left.
func isZero(v string) bool {
	n, ok := number(strings.TrimSpace(v))
	return ok && n == 0
}
