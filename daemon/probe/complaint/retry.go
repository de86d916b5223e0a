package complaint

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

const (
	soonest = time.Second
	latest  = provider.LongestRetry
)

// A comeback is what an answer says about when to ask again. 0 means that it says nothing.
type comeback struct {
	asked    time.Duration // what the provider asks for: Retry-After, and fields of the body
	worded   time.Duration // the same in prose
	usedUp   time.Duration // until the last of the used-up limits is reset
	unproven time.Duration // until a reset without a "remaining"
}

// wait is how long to wait: until the latest of the times asked for and of the resets of
// used-up limits. Prose, and a reset of a limit that may have something left, count only if
// there are none of those. If resets say when a limit is full again, which may be a day
// after the next allowed request, they count only if the provider asks for nothing else.
func (c comeback) wait(refills bool) time.Duration {
	asked := c.asked
	if asked == 0 {
		asked = c.worded
	}
	switch {
	case asked > 0 && refills:
		return asked
	case c.asked == 0 && c.usedUp == 0:
		return max(asked, c.unproven)
	}
	return max(asked, c.usedUp)
}

// at is the moment, between 1 s and 24 h after now; zero if nothing is said.
func (c comeback) at(now time.Time, refills bool) time.Time {
	wait := c.wait(refills)
	if wait == 0 {
		return time.Time{}
	}
	return now.Add(Bounded(wait))
}

// Bounded is the wait that we keep to: at least a second, and at most a day.
func Bounded(wait time.Duration) time.Duration { return min(max(wait, soonest), latest) }

// RetryAt is when an answer says to ask again, in its headers or its body; zero if it does
// not. A moment is read by the provider's clock, as shown by Date: ours may be years off.
// refills says that resets mean the time when a limit is full again.
func (c *Complaint) RetryAt(h http.Header, now time.Time, refills bool) time.Time {
	theirs := clockOf(h, now)
	told := readHeaders(h, theirs)
	if c.headers != nil && told == (comeback{}) {
		told = readHeaders(c.headers, theirs)
	}
	told.asked = max(told.asked, c.longestWait(theirs))
	told.worded = proseWait(c.said, theirs)
	return told.at(now, refills)
}

func clockOf(h http.Header, now time.Time) time.Time {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		return date
	}
	return now
}

// longestWait is the longest wait in the fields of a complaint, by the provider's clock.
func (c *Complaint) longestWait(now time.Time) time.Duration {
	var longest time.Duration
	for _, w := range c.waits {
		unit := time.Second
		if w.millis {
			unit = time.Millisecond
		}
		if d, ok := When(w.value, unit, now); ok {
			longest = max(longest, atLeastSoonest(d))
		}
	}
	return longest
}

// readHeaders reads the headers that say when to ask again: retry-after (RFC 9110) and
// longer names of that kind, such as retry-after-ms (OpenAI, Azure) and
// x-ratelimit-retry-after; x-ratelimit-reset-requests beside x-ratelimit-remaining-requests
// and the like (OpenAI, Groq), x-rate-limit-reset-tokens (Azure, as in
// openai/openai-python, issue 937), anthropic-ratelimit-requests-reset beside
// anthropic-ratelimit-requests-remaining, anthropic-ratelimit-unified-5h-reset beside
// anthropic-ratelimit-unified-5h-status (see window.go), ratelimitbysize-reset (Mistral),
// x-ratelimit-reset-after (Discord), ratelimit-reset and ratelimit (versions of the same
// IETF draft).
func readHeaders(h http.Header, theirs time.Time) comeback {
	told := comeback{usedUp: usedUp(h.Values("Ratelimit"))}
	for name, values := range h {
		if len(name) < len("retry-after") { // as most are
			continue
		}
		lower := strings.ToLower(name)
		if unit, ok := asksToWait(lower); ok {
			if wait, ok := readTimes(values, unit, theirs); ok {
				told.asked = max(told.asked, wait, zeroIs(unit))
			}
			continue
		}
		remaining, unit, ok := remainingOf(lower)
		if !ok {
			continue
		}
		reset, _ := readTimes(values, unit, theirs) // some send 0 or −1 if they do not know
		switch left := cmp.Or(h.Get(remaining), leftOfWindow(h, remaining)); {
		case left == "":
			told.unproven = max(told.unproven, reset)
		case isZero(left):
			told.usedUp = max(told.usedUp, reset)
		}
	}
	return told
}

// asksToWait recognises a header with which a provider asks to wait, and the unit of its
// numbers.
func asksToWait(name string) (unit time.Duration, ok bool) {
	_, after, ok := strings.Cut(name, "retry-after")
	switch {
	case !ok || strings.HasPrefix(name, "access-control-"):
		return 0, false
	case after == "" || after == "-seconds":
		return time.Second, true
	}
	return time.Millisecond, after == "-ms"
}

// zeroIs: unlike a reset, a Retry-After of 0 means at once. In milliseconds it means
// nothing.
func zeroIs(unit time.Duration) time.Duration {
	if unit == time.Second {
		return soonest
	}
	return 0
}

// remainingOf returns the header that goes with a reset header, both in lower case,
// and the unit of its numbers.
func remainingOf(name string) (remaining string, unit time.Duration, ok bool) {
	if !strings.Contains(name, "ratelimit") && !strings.Contains(name, "rate-limit") {
		return "", 0, false
	}
	before, after, ok := strings.Cut(name, "reset")
	unit = time.Second
	if rest, millis := strings.CutSuffix(after, "-ms"); millis {
		after, unit = rest, time.Millisecond
	}
	after = strings.TrimSuffix(strings.TrimSuffix(after, "-after"), "-at")
	return before + "remaining" + after, unit, ok
}

// readTimes is When for a header that came more than once or is a list. That is malformed
// (RFC 9110, section 5.3); the latest readable member counts. The comma in a date does not
// separate.
func readTimes(values []string, unit time.Duration, now time.Time) (longest time.Duration, ok bool) {
	for _, v := range values {
		if wait, whole := When(v, unit, now); whole {
			longest, ok = max(longest, wait), true
			continue
		}
		parts := strings.Split(v[:min(len(v), 1024)], ",")
		for i := 0; i < len(parts); i++ {
			wait, read := When(parts[i], unit, now)
			if !read && i+1 < len(parts) {
				if wait, read = When(parts[i]+","+parts[i+1], unit, now); read {
					i++
				}
			}
			if read {
				longest, ok = max(longest, wait), true
			}
		}
	}
	return longest, ok
}

// usedUp is the longest wait for used-up limits in RateLimit headers: "api";r=0;t=55
// (draft-ietf-httpapi-ratelimit-headers; huggingface.co/docs/hub/rate-limits), or limit=10,
// remaining=0, reset=50 (its versions up to 07).
func usedUp(headers []string) time.Duration {
	var wait time.Duration
	for _, header := range headers {
		var old rateLimit
		for item := range strings.SplitSeq(header, ",") {
			var limit rateLimit
			for parameter := range strings.SplitSeq(item, ";") {
				name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
				limit.set(name, value)
				old.set(name, value)
			}
			wait = max(wait, limit.wait())
		}
		if strings.Contains(header, "reset=") {
			wait = max(wait, old.wait())
		}
	}
	return wait
}

// A rateLimit is what a RateLimit header says about one limit.
type rateLimit struct{ remaining, reset string }

func (l *rateLimit) set(name, value string) {
	switch name {
	case "r", "remaining":
		l.remaining = value
	case "t", "reset":
		l.reset = value
	}
}

func (l *rateLimit) wait() time.Duration {
	if n, ok := number(l.reset); ok && isZero(l.remaining) {
		return scaled(n, time.Second)
	}
	return 0
}

// isZero reports whether a remaining header says that nothing is left.
func isZero(v string) bool {
	n, ok := number(strings.TrimSpace(v))
	return ok && n == 0
}
