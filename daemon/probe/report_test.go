package probe

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

func TestReported(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tt := range map[string]struct {
		report provider.Report
		saw    provider.Reason
		detail string
		wait   time.Duration
	}{
		"RateLimited":     {provider.Report{Status: 429, RetryAfter: "60"}, provider.RateLimited, "429 Too Many Requests", time.Minute},
		"AsADate":         {provider.Report{Status: 429, RetryAfter: "Fri, 02 Jan 2026 03:05:05 GMT"}, provider.RateLimited, "429 Too Many Requests", time.Minute},
		"AsADuration":     {provider.Report{Status: 429, RetryAfter: "1m30s"}, provider.RateLimited, "429 Too Many Requests", 90 * time.Second},
		"AsAnInstant":     {provider.Report{Status: 429, RetryAfter: "2026-01-02T03:05:05Z"}, provider.RateLimited, "429 Too Many Requests", time.Minute},
		"SinceTheEpoch":   {provider.Report{Status: 429, RetryAfter: "1767323105"}, provider.RateLimited, "429 Too Many Requests", time.Minute},
		"AtOnceIsASecond": {provider.Report{Status: 429, RetryAfter: "0"}, provider.RateLimited, "429 Too Many Requests", time.Second},
		"LessIsASecond":   {provider.Report{Status: 429, RetryAfter: "5ms"}, provider.RateLimited, "429 Too Many Requests", time.Second},
		"MoreIsADay":      {provider.Report{Status: 429, RetryAfter: "90000"}, provider.RateLimited, "429 Too Many Requests", 24 * time.Hour},
		"NotTold":         {provider.Report{Status: 429}, provider.RateLimited, "429 Too Many Requests", 0},
		"InHeaders": {provider.Report{Status: 429, Headers: map[string][]string{"retry-after": {"7"}, "x-ratelimit-remaining-requests": {"0"},
			"X-RateLimit-Reset-Requests": {"6m0s"}}}, provider.RateLimited, "429 Too Many Requests", 6 * time.Minute},
		"InHeadersOfAnthropic": {provider.Report{Status: 529, Headers: map[string][]string{"Anthropic-Ratelimit-Requests-Remaining": {"0"},
			"Anthropic-Ratelimit-Requests-Reset": {"2026-01-02T03:05:05Z"}}}, provider.Overloaded, "529", time.Minute},
		"ByTheProvidersClock": {provider.Report{Status: 429, Headers: map[string][]string{"Date": {"Fri, 02 Jan 2099 03:04:05 GMT"},
			"Retry-After": {"Fri, 02 Jan 2099 03:05:05 GMT"}}}, provider.RateLimited, "429 Too Many Requests", time.Minute},
		"InWordsBeforeHeaders": {provider.Report{Status: 429, RetryAfter: "5", Headers: map[string][]string{"Retry-After": {"60"}}}, provider.RateLimited, "429 Too Many Requests", 5 * time.Second},
		"HeadersOfNothing":     {provider.Report{Status: 429, Headers: map[string][]string{"Retry-After": {"soon", ""}, "": nil}}, provider.RateLimited, "429 Too Many Requests", 0},
		"Key":                  {provider.Report{Status: 401}, provider.Unauthorized, "401 Unauthorized", 0},
		"Money":                {provider.Report{Status: 402}, provider.QuotaExhausted, "402 Payment Required", 0},
		"NotAllowed":           {provider.Report{Status: 403}, provider.Forbidden, "403 Forbidden", 0},
		"Overloaded":           {provider.Report{Status: 529, RetryAfter: "5"}, provider.Overloaded, "529", 5 * time.Second},
		"ServerError":          {provider.Report{Status: 503}, provider.ServerError, "503 Service Unavailable", 0},
		"NoAnswer":             {provider.Report{Error: "timeout"}, provider.Hung, "no answer in time", 0},
		"NobodyThere":          {provider.Report{Error: "refused"}, provider.ConnectionRefused, "connection refused", 0},
		"ConnectionClosed":     {provider.Report{Error: "reset"}, provider.ConnectionReset, "connection reset", 0},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := Reported("", tt.report, now)
			if err != nil {
				t.Fatal(err)
			}
			var wait time.Duration
			if !o.RetryAt.IsZero() {
				wait = o.RetryAt.Sub(now)
			}
			if o.Saw != tt.saw || o.Detail != tt.detail || wait != tt.wait || !o.Began.Equal(now) {
				t.Errorf("%s %q, wait %s", o.Saw, o.Detail, wait)
			}
		})
	}
}

// A report that says nothing about the provider is refused, with what to send instead, and
// control characters are quoted whenever it is repeated.
func TestReported_Refused(t *testing.T) {
	for name, tt := range map[string]struct {
		report        provider.Report
		message, hint string
	}{
		"Nothing":         {provider.Report{}, "does not say what happened", "401, 402, 403, 429 or 5xx"},
		"Success":         {provider.Report{Status: 200}, "200 is not a failure", "providerctl refresh"},
		"Redirect":        {provider.Report{Status: 302}, "302 is not a failure", "providerctl refresh"},
		"TheRequest":      {provider.Report{Status: 404}, "about the request", "429"},
		"NoStatus":        {provider.Report{Status: 1000}, "no such HTTP status", "429"},
		"NegativeStatus":  {provider.Report{Status: -429}, "no such HTTP status", "429"},
		"Both":            {provider.Report{Status: 429, Error: "timeout"}, "both", "if there was none"},
		"AnotherWord":     {provider.Report{Error: "\x1b]0;sk-test"}, `"\x1b]0;sk-test"`, "refused, reset, timeout"},
		"RetryInWords":    {provider.Report{Status: 429, RetryAfter: "soon"}, "cannot be read", "1m30s"},
		"RetryInThePast":  {provider.Report{Status: 429, RetryAfter: "-5"}, "cannot be read", "1m30s"},
		"RetryIsANumber?": {provider.Report{Status: 429, RetryAfter: "NaN"}, "cannot be read", "1m30s"},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := Reported("", tt.report, time.Now())
			var e *provider.Error
			if !errors.As(err, &e) || e.Code != provider.BadRequest {
				t.Fatalf("%+v, %v", o, err)
			}
			if !strings.Contains(e.Message, tt.message) || !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("%q, hint %q", e.Message, e.Hint)
			}
		})
	}
}

// A kind's own rule for its headers holds for a caller's, too.
func TestReported_OfItsKind(t *testing.T) {
	now := time.Now()
	r := provider.Report{Status: 429, Headers: map[string][]string{"Retry-After": {"2"}, "X-Ratelimit-Remaining-Requests": {"0"}, "X-Ratelimit-Reset-Requests": {"24h"}}}
	for kind, want := range map[string]time.Duration{"groq": 2 * time.Second, "openai": 24 * time.Hour} {
		if o, err := Reported(kind, r, now); err != nil || o.RetryAt.Sub(now) != want {
			t.Errorf("%s: %s (%v), want %s", kind, o.RetryAt.Sub(now), err, want)
		}
	}
}
