package complaint

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAt(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name    string
		headers map[string]string
		want    time.Duration // 0: none
	}{
		{"nothing", nil, 0},
		{"retry-after in seconds", map[string]string{"Retry-After": "30"}, 30 * time.Second},
		{"retry-after in parts of a second", map[string]string{"Retry-After": "1.5"}, 1500 * time.Millisecond},
		{"retry-after as a date", map[string]string{"Retry-After": "Mon, 04 May 2026 12:02:00 GMT"}, 2 * time.Minute},
		{"retry-after as a date gone by", map[string]string{"Retry-After": "Mon, 04 May 2026 11:00:00 GMT"}, time.Second},
		{"retry-after as a date of a clock ten years ahead of ours", map[string]string{"Date": "Sun, 04 May 2036 12:00:00 GMT", "Retry-After": "Sun, 04 May 2036 12:02:00 GMT"}, 2 * time.Minute},
		{"retry-after as a date of a clock ten years behind ours", map[string]string{"Date": "Wed, 04 May 2016 12:00:00 GMT", "Retry-After": "Wed, 04 May 2016 12:02:00 GMT"}, 2 * time.Minute},
		{"retry-after as a date, and a date that is none", map[string]string{"Date": "today", "Retry-After": "Mon, 04 May 2026 12:02:00 GMT"}, 2 * time.Minute},
		{"epoch of a clock ten years ahead of ours", map[string]string{"Date": "Sun, 04 May 2036 12:00:00 GMT", "X-Ratelimit-Reset": "2093515260", "X-Ratelimit-Remaining": "0"}, time.Minute},
		{"retry-after 0 is a second", map[string]string{"Retry-After": "0"}, time.Second},
		{"retry-after −1 says nothing", map[string]string{"Retry-After": "-1"}, 0},
		{"retry-after garbage", map[string]string{"Retry-After": "soon"}, 0},
		{"retry-after NaN", map[string]string{"Retry-After": "NaN"}, 0},
		{"retry-after infinite", map[string]string{"Retry-After": "Inf"}, 0},
		{"retry-after-ms", map[string]string{"Retry-After-Ms": "2500"}, 2500 * time.Millisecond},
		{"at least a second", map[string]string{"Retry-After-Ms": "20"}, time.Second},
		{"at most a day", map[string]string{"Retry-After": "1e300"}, 24 * time.Hour},
		{"duration of minutes", map[string]string{"X-Ratelimit-Reset-Requests": "6m0s", "X-Ratelimit-Remaining-Requests": "0"}, 6 * time.Minute},
		{"duration of parts of a second", map[string]string{"X-Ratelimit-Reset-Tokens": "1.5s", "X-Ratelimit-Remaining-Tokens": "0"}, 1500 * time.Millisecond},
		{"negative duration", map[string]string{"X-Ratelimit-Reset-Tokens": "-5s", "X-Ratelimit-Remaining-Tokens": "0"}, 0},
		{"seconds", map[string]string{"Ratelimit-Reset": "50", "Ratelimit-Remaining": "0"}, 50 * time.Second},
		{"epoch in seconds", map[string]string{"X-Ratelimit-Reset": "1777896060", "X-Ratelimit-Remaining": "0"}, time.Minute},
		{"epoch in milliseconds", map[string]string{"X-Ratelimit-Reset": "1777896060000", "X-Ratelimit-Remaining": "0"}, time.Minute},
		{"epoch gone by", map[string]string{"X-Ratelimit-Reset": "1777890000", "X-Ratelimit-Remaining": "0"}, time.Second},
		{"RFC 3339", map[string]string{"Anthropic-Ratelimit-Requests-Reset": "2026-05-04T12:00:40Z", "Anthropic-Ratelimit-Requests-Remaining": "0"}, 40 * time.Second},
		{"a limit with something left does not count", map[string]string{"X-Ratelimit-Reset-Requests": "6m0s", "X-Ratelimit-Remaining-Requests": "5"}, 0},
		{"nor does a remaining of −1", map[string]string{"X-Ratelimit-Reset-Requests": "6m0s", "X-Ratelimit-Remaining-Requests": "-1"}, 0},
		{"the last of those used up", map[string]string{
			"X-Ratelimit-Reset-Requests": "2h", "X-Ratelimit-Remaining-Requests": "0",
			"X-Ratelimit-Reset-Tokens": "9s", "X-Ratelimit-Remaining-Tokens": "0",
			"X-Ratelimit-Reset-Images": "9h", "X-Ratelimit-Remaining-Images": "1", "Retry-After": "3",
		}, 2 * time.Hour},
		{"retry-after when no limit is used up", map[string]string{
			"X-Ratelimit-Reset-Requests": "2h", "X-Ratelimit-Remaining-Requests": "3", "Retry-After": "3",
		}, 3 * time.Second},
		{"the window of a subscription that is rejected", map[string]string{
			"Anthropic-Ratelimit-Unified-Status": "rejected", "Anthropic-Ratelimit-Unified-Reset": "1777903200",
			"Anthropic-Ratelimit-Unified-5h-Status": "rejected", "Anthropic-Ratelimit-Unified-5h-Reset": "1777903200",
			"Anthropic-Ratelimit-Unified-7d-Utilization": "0.6", "Anthropic-Ratelimit-Unified-7d-Reset": "1777975200",
		}, 2 * time.Hour},
		{"the window of a subscription that is spent", map[string]string{"Anthropic-Ratelimit-Unified-5h-Utilization": "1.02", "Anthropic-Ratelimit-Unified-5h-Reset": "1777903200"}, 2 * time.Hour},
		{"windows of a subscription that allow requests", map[string]string{
			"Anthropic-Ratelimit-Unified-Status": "allowed_warning", "Anthropic-Ratelimit-Unified-Reset": "1777903200",
			"Anthropic-Ratelimit-Unified-5h-Utilization": "0.9", "Anthropic-Ratelimit-Unified-5h-Reset": "1777903200",
		}, 0},
		{"a reset alone", map[string]string{"X-Ratelimit-Reset": "20"}, 20 * time.Second},
		{"a reset alone with one hyphen more", map[string]string{"X-Rate-Limit-Reset-Tokens": "55", "X-Ratelimit-Remaining-Requests": "19"}, 55 * time.Second},
		{"a reset of 0", map[string]string{"X-Ratelimit-Reset": "0", "X-Ratelimit-Remaining": "0"}, 0},
		{"retry-after before a reset alone", map[string]string{"X-Ratelimit-Reset": "20", "Retry-After": "5"}, 5 * time.Second},
		{"a duration of Go's", map[string]string{"Retry-After": "10m0s"}, 10 * time.Minute},
		{"a duration of seconds", map[string]string{"Retry-After": "600s"}, 10 * time.Minute},
		{"a duration of ISO 8601", map[string]string{"Retry-After": "PT1M30.5S"}, 90*time.Second + 500*time.Millisecond},
		{"a duration of days", map[string]string{"Retry-After": "P0DT2H"}, 2 * time.Hour},
		{"a duration of a clock", map[string]string{"Retry-After": "00:01:30"}, 90 * time.Second},
		{"a duration in words", map[string]string{"Retry-After": "1 minute and 5 seconds"}, 65 * time.Second},
		{"ISO 8601 with a zone", map[string]string{"Retry-After": "2026-05-04T14:02:00+02:00"}, 2 * time.Minute},
		{"ISO 8601 without a zone", map[string]string{"Retry-After": "2026-05-04T12:02:00"}, 2 * time.Minute},
		{"ISO 8601 with milliseconds", map[string]string{"Retry-After": "2026-05-04T12:02:00.250Z"}, 2*time.Minute + 250*time.Millisecond},
		{"a date in +0000", map[string]string{"Retry-After": "Mon, 04 May 2026 12:02:00 +0000"}, 2 * time.Minute},
		{"a date in another zone", map[string]string{"Retry-After": "Mon, 04 May 2026 14:02:00 +0200"}, 2 * time.Minute},
		{"a date in UTC", map[string]string{"Retry-After": "Mon, 04 May 2026 12:02:00 UTC"}, 2 * time.Minute},
		{"a date in a zone that only has a name", map[string]string{"Retry-After": "Mon, 04 May 2026 12:02:00 CEST"}, 0},
		{"a date of RFC 850", map[string]string{"Retry-After": "Monday, 04-May-26 12:02:00 GMT"}, 2 * time.Minute},
		{"a date of C", map[string]string{"Retry-After": "Mon May  4 12:02:00 2026"}, 2 * time.Minute},
		{"a date of JavaScript's", map[string]string{"X-Ratelimit-Reset": "Mon May 04 2026 14:02:00 GMT+0200 (Central European Summer Time)", "X-Ratelimit-Remaining": "0"}, 2 * time.Minute},
		{"retry-after as an epoch", map[string]string{"Retry-After": "1777896060"}, time.Minute},
		{"retry-after as an epoch in milliseconds", map[string]string{"Retry-After": "1777896060000"}, time.Minute},
		{"retry-after-ms as an epoch", map[string]string{"Retry-After-Ms": "1777896060000"}, time.Minute},
		{"epoch in microseconds", map[string]string{"X-Ratelimit-Reset": "1777896060000000", "X-Ratelimit-Remaining": "0"}, time.Minute},
		{"epoch in nanoseconds", map[string]string{"X-Ratelimit-Reset": "1777896060000000000", "X-Ratelimit-Remaining": "0"}, time.Minute},
		{"epoch with parts of a second", map[string]string{"X-Ratelimit-Reset": "1777896060.5"}, 60500 * time.Millisecond},
		{"two days are no epoch", map[string]string{"Retry-After": "172800"}, 24 * time.Hour},
		{"a list of one number", map[string]string{"Retry-After": "600, 600"}, 10 * time.Minute},
		{"the latest of a list", map[string]string{"Retry-After": "5, soon, 30"}, 30 * time.Second},
		{"a list of dates", map[string]string{"Retry-After": "Mon, 04 May 2026 12:02:00 GMT, Mon, 04 May 2026 12:03:00 GMT"}, 3 * time.Minute},
		{"a list of nothing", map[string]string{"Retry-After": ", ,"}, 0},
		{"Azure's milliseconds", map[string]string{"X-Ms-Retry-After-Ms": "2500"}, 2500 * time.Millisecond},
		{"a longer name of the same", map[string]string{"X-Ratelimit-Retry-After": "25"}, 25 * time.Second},
		{"the same in seconds", map[string]string{"X-Rate-Limit-Retry-After-Seconds": "25"}, 25 * time.Second},
		{"a reset that is a wait", map[string]string{"X-Ratelimit-Reset-After": "25.5", "X-Ratelimit-Remaining": "0"}, 25500 * time.Millisecond},
		{"a draft's RateLimit", map[string]string{"Ratelimit": `"default";r=0;t=30, "day";r=5;t=9000`}, 30 * time.Second},
		{"an older draft's RateLimit", map[string]string{"Ratelimit": "limit=10, remaining=0, reset=50"}, 50 * time.Second},
		{"an older draft's RateLimit with something left", map[string]string{"Ratelimit": "limit=10, remaining=1, reset=50"}, 0},
		{"a header of something else", map[string]string{"X-Reset": "20"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			for name, value := range tt.headers {
				h.Set(name, value)
			}
			var want time.Time
			if tt.want != 0 {
				want = now.Add(tt.want)
			}
			if got := readHeaders(h, clockOf(h, now)).at(now, false); !got.Equal(want) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestProseWait: a time in prose counts only if the words say that it is one.
func TestProseWait(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"Please try again in 9m38.016s. Need more tokens?":          9*time.Minute + 38016*time.Millisecond,
		"Please retry after 45 seconds.":                            45 * time.Second,
		"try again in 86400 seconds":                                24 * time.Hour,
		"Try again in 1 minute.":                                    time.Minute,
		"Rate limited. Try again in about 2 hours.":                 2 * time.Hour,
		"please try again after 1 seconds":                          time.Second,
		"Please retry in 36.5s.":                                    36500 * time.Millisecond,
		"Please try again in 120ms.":                                120 * time.Millisecond,
		"Request was throttled. Expected available in 29 seconds.":  29 * time.Second,
		"Quota will be replenished in 07:01:20.":                    7*time.Hour + time.Minute + 20*time.Second,
		"Limit resets in 1h2m":                                      time.Hour + 2*time.Minute,
		"Wait 30 seconds before retrying.":                          30 * time.Second,
		"请 30 秒后重试":                                                 30 * time.Second,
		"请在 1 小时 5 分钟之后再试, 2 分钟后过期":                                 time.Hour + 5*time.Minute,
		"请稍后再试":                                                     0,
		"30 后重试":                                                    0,
		"Please wait 1 hour, 3 minutes and 2 seconds":               time.Hour + 3*time.Minute + 2*time.Second,
		"Try again at 2026-05-04T12:01:00Z":                         time.Minute,
		"Try again at 2026-05-04 12:01:00 UTC, or pay":              time.Minute,
		"Your limit will reset at 2026-05-04 14:01:00 +02:00.":      time.Minute,
		"Retry after: Mon, 04 May 2026 12:01:00 GMT":                time.Minute,
		"Retry-After: 30":                                           30 * time.Second,
		"retry after 1777896060":                                    time.Minute,
		"try again in 3s for requests, try again in 20s for tokens": 20 * time.Second,
		"Your limit will reset at 2026-05-04 23:00:00":              0, // in whose time?
		"Please try again in a few minutes.":                        0,
		"Please try again later.":                                   0,
		"retry in 5":                                                0,
		"limit of 3 requests per 20 seconds":                        0,
		"available in 3 regions":                                    0,
		"try again in ":                                             0,
	} {
		if got := proseWait(text, now); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// FuzzRetryAt: any header yields no time, or one between 1 s and 24 h away.
func FuzzRetryAt(f *testing.F) {
	for _, v := range []string{"", "0", "-1", "30", "6m0s", "1.5s", "1777896060", "1777896060000", "NaN", "1e400", "-1e400",
		"2026-05-04T12:00:40Z", "Mon, 04 May 2026 12:02:00 GMT", "9999999999999999999999h", "0x1p1000", "∞",
		"PT36S", "P1W", "PT", "00:00:45", "1.17:34:12", "600, 600", "1777896060000000", "Mon, 04 May 2026 12:02:00 +0000", "5 minutes"} {
		f.Add(v, v, v)
	}
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, after, reset, remaining string) {
		h := http.Header{}
		h.Set("Retry-After", after)
		h.Set("Retry-After-Ms", reset)
		h.Set("X-Ratelimit-Reset-Requests", reset)
		h.Set("X-Ratelimit-Remaining-Requests", remaining)
		told := readHeaders(h, clockOf(h, now))
		told.worded = proseWait("try again in "+after+", retry after "+reset+" or at "+remaining, now)
		got := told.at(now, false)
		if !got.IsZero() && (got.Before(now.Add(time.Second)) || got.After(now.Add(24*time.Hour))) {
			t.Errorf("%q %q %q: %s", after, reset, remaining, got.Sub(now))
		}
	})
}
