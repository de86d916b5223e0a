package probe

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
		{"a reset alone", map[string]string{"X-Ratelimit-Reset": "20"}, 20 * time.Second},
		{"a reset alone with one hyphen more", map[string]string{"X-Rate-Limit-Reset-Tokens": "55", "X-Ratelimit-Remaining-Requests": "19"}, 55 * time.Second},
		{"a reset of 0", map[string]string{"X-Ratelimit-Reset": "0", "X-Ratelimit-Remaining": "0"}, 0},
		{"retry-after before a reset alone", map[string]string{"X-Ratelimit-Reset": "20", "Retry-After": "5"}, 5 * time.Second},
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
			if got := retryAt(h, now); !got.Equal(want) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// FuzzRetryAt: any header leads to no time or to one between 1 s and 24 h away.
func FuzzRetryAt(f *testing.F) {
	for _, v := range []string{"", "0", "-1", "30", "6m0s", "1.5s", "1777896060", "1777896060000", "NaN", "1e400", "-1e400",
		"2026-05-04T12:00:40Z", "Mon, 04 May 2026 12:02:00 GMT", "9999999999999999999999h", "0x1p1000", "∞"} {
		f.Add(v, v, v)
	}
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, after, reset, remaining string) {
		h := http.Header{}
		h.Set("Retry-After", after)
		h.Set("Retry-After-Ms", reset)
		h.Set("X-Ratelimit-Reset-Requests", reset)
		h.Set("X-Ratelimit-Remaining-Requests", remaining)
		got := retryAt(h, now)
		if !got.IsZero() && (got.Before(now.Add(time.Second)) || got.After(now.Add(24*time.Hour))) {
			t.Errorf("%q %q %q: %s", after, reset, remaining, got.Sub(now))
		}
	})
}
