package complaint

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// shownLimit is a limit in one line: "requests 3/50 34s".
func shownLimit(l provider.Limit, now time.Time) string {
	number := func(n *float64) string {
		if n == nil {
			return "?"
		}
		return fmt.Sprint(*n)
	}
	text := l.Name + " " + number(l.Remaining) + "/" + number(l.Limit)
	if !l.ResetsAt.IsZero() {
		text += " " + l.ResetsAt.Sub(now).Round(time.Millisecond).String()
	}
	return text
}

func readLimits(headers string, now time.Time) (shown []string) {
	h := http.Header{}
	for line := range strings.SplitSeq(headers, "\n") {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			h.Add(name, value)
		}
	}
	for _, l := range Limits(h, now, func(s string) bool { return !strings.Contains(strings.ToLower(s), "secret") }) {
		shown = append(shown, shownLimit(l, now))
	}
	return shown
}

// Every vendor's headers give its limits, with the resets by the provider's clock.
func TestLimits_OfEachVendor(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tt := range map[string]struct {
		headers string
		want    []string
	}{
		"OpenAI": {`x-ratelimit-limit-requests: 60
			x-ratelimit-remaining-requests: 59
			x-ratelimit-reset-requests: 1s
			x-ratelimit-limit-tokens: 150000
			x-ratelimit-remaining-tokens: 149984
			x-ratelimit-reset-tokens: 6m0s`, []string{"requests 59/60 1s", "tokens 149984/150000 6m0s"}},
		"Groq": {`retry-after: 2
			x-ratelimit-limit-requests: 14400
			x-ratelimit-remaining-requests: 0
			x-ratelimit-reset-requests: 2m59.56s
			x-ratelimit-reset-tokens: 7.66s
			x-ratelimit-remaining-tokens: 17997`, []string{"requests 0/14400 2m59.56s", "tokens 17997/? 7.66s"}},
		"Milliseconds": {`x-ratelimit-remaining-requests: 4999
			x-ratelimit-reset-requests: 20ms`, []string{"requests 4999/? 20ms"}},
		"Azure": {`x-ratelimit-remaining-requests: 9
			x-ratelimit-limit-requests: 10
			x-rate-limit-reset-tokens: 42
			x-ratelimit-remaining-tokens: 0`, []string{"requests 9/10", "tokens 0/? 42s"}},
		"Anthropic": {`Date: Fri, 02 Jan 2026 05:04:05 GMT
			anthropic-ratelimit-requests-limit: 50
			anthropic-ratelimit-requests-remaining: 0
			anthropic-ratelimit-requests-reset: 2026-01-02T05:05:05Z
			anthropic-ratelimit-input-tokens-limit: 30000
			anthropic-ratelimit-input-tokens-remaining: 29000
			anthropic-ratelimit-output-tokens-remaining: 8000`, []string{"input_tokens 29000/30000", "output_tokens 8000/?", "requests 0/50 1m0s"}},
		"AnthropicSubscription": {`anthropic-ratelimit-unified-status: allowed
			anthropic-ratelimit-unified-reset: 1767326645
			anthropic-ratelimit-unified-5h-utilization: 0.42
			anthropic-ratelimit-unified-5h-status: allowed
			anthropic-ratelimit-unified-5h-reset: 1767326645
			anthropic-ratelimit-unified-7d-utilization: 0.673
			anthropic-ratelimit-unified-7d-reset: 1767499445
			anthropic-ratelimit-unified-representative-claim: five_hour
			anthropic-ratelimit-unified-fallback-percentage: 0.5
			anthropic-ratelimit-unified-overage-status: rejected
			anthropic-ratelimit-unified-overage-disabled-reason: org_level_disabled`,
			[]string{"unified_5h 58/100 1h0m0s", "unified_7d 32.7/100 49h0m0s"}},
		"AnthropicSubscriptionThatIsUsedUp": {`anthropic-ratelimit-unified-status: rejected
			anthropic-ratelimit-unified-reset: 1767326645
			anthropic-ratelimit-unified-5h-utilization: 1.03
			anthropic-ratelimit-unified-5h-reset: 1767326645
			anthropic-ratelimit-unified-7d_oi-status: rejected`,
			[]string{"unified 0/? 1h0m0s", "unified_5h 0/100 1h0m0s", "unified_7d_oi 0/?"}},
		"Cerebras": {`x-ratelimit-limit-requests-day: 1000000000
			x-ratelimit-limit-tokens-minute: 1000000000
			x-ratelimit-remaining-requests-day: 999997455
			x-ratelimit-remaining-tokens-minute: 999998298
			x-ratelimit-reset-requests-day: 33011.382867
			x-ratelimit-reset-tokens-minute: 11.382867`,
			[]string{"requests_day 9.99997455e+08/1e+09 9h10m11.383s", "tokens_minute 9.99998298e+08/1e+09 11.383s"}},
		"Mistral": {`x-ratelimit-limit-req-minute: 60
			x-ratelimit-remaining-req-minute: 59
			x-ratelimitbysize-remaining-month: 500
			ratelimitbysize-limit: 500000
			ratelimitbysize-remaining: 499990
			ratelimitbysize-reset: 41`, []string{"requests_minute 59/60", "tokens 499990/500000 41s", "tokens_month 500/?"}},
		"MistralSince2026": {`x-ratelimit-limit-tokens-minute: 5000000
			x-ratelimit-remaining-tokens-minute: 4999911
			x-ratelimit-tokens-query-cost: 52
			x-ratelimit-limit-req-minute: 720
			x-ratelimit-remaining-req-minute: 717`, []string{"requests_minute 717/720", "tokens_minute 4.999911e+06/5e+06"}},
		"TogetherDynamic": {`x-ratelimit-limit-dynamic: 60
			x-ratelimit-remaining-dynamic: 10
			x-tokenlimit-limit-dynamic: 180000
			x-tokenlimit-remaining-dynamic: 0
			x-ratelimit-reset: 0.25`, []string{"requests_dynamic 10/60", "tokens_dynamic 0/180000"}},
		"Together": {`x-ratelimit-limit: 60
			x-ratelimit-remaining: 0
			x-ratelimit-reset: 1
			x-tokenlimit-limit: 180000
			x-tokenlimit-remaining: 179000`, []string{"requests 0/60 1s", "tokens 179000/180000"}},
		"OpenRouterSince1970": {`X-RateLimit-Limit: 20
			X-RateLimit-Remaining: 0
			X-RateLimit-Reset: 1767323105000`, []string{"requests 0/20 1m0s"}},
		"SecondsSince1970": {`X-RateLimit-Remaining: 0
			X-RateLimit-Reset: 1767323105`, []string{"requests 0/? 1m0s"}},
		"NextMonth": {`X-RateLimit-Remaining-Month: 0
			X-RateLimit-Reset-Month: 1769904000`, []string{"requests_month 0/? 716h55m55s"}},
		"Draft": {`RateLimit: "burst";r=50;t=30, "daily";r=0;t=3600
			RateLimit-Policy: "burst";q=100;w=60,"daily";q=1000;w=86400`, []string{"burst 50/100 30s", "daily 0/1000 1h0m0s"}},
		"DraftBefore": {`RateLimit: limit=100, remaining=50, reset=5
			RateLimit-Policy: 100;w=60`, []string{"requests 50/100 5s"}},
		"DraftFirst": {`RateLimit-Limit: 10, 10;w=1, 50;w=60
			RateLimit-Remaining: 1
			RateLimit-Reset: 7`, []string{"requests 1/10 7s"}},
		"Fireworks": {`x-ratelimit-over-limit: no
			x-ratelimit-limit-tokens-prompt: 60000
			x-ratelimit-remaining-tokens-prompt: 59000`, []string{"tokens_prompt 59000/60000"}},
		"None": {`content-type: application/json
			x-request-limiter: 5
			x-ratelimit-reset-requests: 1s`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := readLimits(tt.headers, now); !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// Whatever an answer says, there are few limits, with short plain names and numbers and times
// that can be true.
func TestLimits_OfHostileAnswers(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]string{
		"9223372036854775807": "", "-1": "", "NaN": "", "Inf": "", "1e300": "", "unlimited": "", "0x10": "",
		"": "", "\x00": "", "5, 900": "requests 5/?", "\"7\"": "requests 7/?",
	} {
		if got := strings.Join(readLimits("x-ratelimit-remaining: "+value, now), ","); got != want {
			t.Errorf("%q became %q, want %q", value, got, want)
		}
	}
	for value, want := range map[string]string{
		"9999999999999999999": "", "253402300799": "", "9e18h": "", "-5s": "", "-1": "", "0": "", "NaN": "", "9999-12-31T23:59:59Z": "",
		"106751d": "", "2678400": " 744h0m0s", "2678401": "", "1e308": "",
	} {
		if got := strings.Join(readLimits("x-ratelimit-remaining: 0\nx-ratelimit-reset: "+value, now), ","); got != "requests 0/?"+want {
			t.Errorf("a reset of %q became %q, want %q", value, got, want)
		}
	}
	for value, want := range map[string]string{
		"-0.1": "", "NaN": "", "Inf": "", "1e300": "", "42%": "", "": "", "0.5\x00": "", "1": "unified_5h 0/100", "0": "unified_5h 100/100", "99": "unified_5h 0/100",
	} {
		if got := strings.Join(readLimits("anthropic-ratelimit-unified-5h-utilization: "+value, now), ","); got != want {
			t.Errorf("a share of %q became %q, want %q", value, got, want)
		}
	}
	for name, want := range map[string]string{ // what other headers with such words say
		"x-ratelimit-status: rejected": "", "x-ratelimit-utilization: 1": "", "x-limit-status: rejected": "",
		"anthropic-ratelimit-unified-5h-status: allowed_warning": "", "anthropic-ratelimit-unified-overage-utilization: 1": "",
	} {
		if got := strings.Join(readLimits(name, now), ","); got != want {
			t.Errorf("%s became %q", name, got)
		}
	}
	if got := readLimits("x-ratelimit-remaining: 9\nX-RateLimit-Remaining: 2\nx-ratelimit-remaining: -5\nx-ratelimit-reset: 5\nx-ratelimit-reset: 9", now); strings.Join(got, ",") != "requests 2/? 9s" {
		t.Errorf("of several values: %q", got)
	}
	many := http.Header{}
	for i := range 10_000 {
		many.Set(fmt.Sprintf("X-Ratelimit-Remaining-É\x01%d-%s", i, strings.Repeat("x", 100)), fmt.Sprint(i))
	}
	many.Set("Ratelimit", strings.Repeat(`"é";r=1;t=1,`, 100_000))
	all := Limits(many, now, func(string) bool { return true })
	if len(all) != provider.MostLimits {
		t.Fatalf("%d limits", len(all))
	}
	for _, l := range all {
		if len(l.Name) > 32 || strings.ContainsFunc(l.Name, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("name %q", l.Name)
		}
	}
	if got := readLimits("x-ratelimit-remaining-my-secret: 5\nratelimit: \"secret\";r=1", now); got != nil {
		t.Errorf("what may not be shown is: %q", got)
	}
}
