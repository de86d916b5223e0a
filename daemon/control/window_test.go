package control

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A window begins with the bucket that its beginning is in, and says if that is no longer kept.
func TestPeriod(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 34, 56, 0, time.UTC)
	for query, want := range map[string]string{
		"window=30d":                        "2026-10-29T00:00:00Z 1d",
		"window=2w":                         "2026-11-14T00:00:00Z 1d",
		"window=36h":                        "2026-11-27T00:00:00Z 1h",
		"window=1h30m":                      "2026-11-28T11:00:00Z 1h",
		"window=90s":                        "2026-11-28T12:00:00Z 1h",
		"window=2d":                         "2026-11-26T12:00:00Z 1h",
		"window=2d&step=1d":                 "2026-11-26T00:00:00Z 1d",
		"window=30d&step=1h":                "2026-10-29T12:00:00Z 1h kept 2026-11-14T12:00:00Z",
		"window=500d":                       "2025-07-16T00:00:00Z 1d kept 2025-10-24T00:00:00Z",
		"step=1d":                           "2026-10-29T00:00:00Z 1d",
		"step=1h":                           "2026-11-26T12:00:00Z 1h",
		"from=2026-11-01T23:30:00Z&step=1d": "2026-11-01T00:00:00Z 1d",
		"from=2026-11-02T00:30:00%2B01:00&step=1d": "2026-11-01T00:00:00Z 1d",
		"from=2026-11-28T10:30:00Z&step=1h":        "2026-11-28T10:00:00Z 1h",
		"from=2999-01-01T00:00:00Z&step=1h":        "2026-11-28T12:00:00Z 1h",
		"from=0001-01-01T00:00:00Z&step=1d":        "0001-01-01T00:00:00Z 1d kept 2025-10-24T00:00:00Z",
	} {
		q, wrong := parseQuery(query, byEnd["/history"].params)
		if wrong != nil {
			t.Errorf("%s: %v", query, wrong)
			continue
		}
		var begin time.Time
		if q.from != nil {
			begin = *q.from
		}
		p := q.period(begin, now)
		w := p.window()
		got := w.From.UTC().Format(time.RFC3339) + " " + w.Step
		if !w.KeptFrom.IsZero() {
			got += " kept " + w.KeptFrom.UTC().Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
		times := p.times()
		if len(times) == 0 || len(times) > 402 || times[len(times)-1].After(now) || now.Sub(times[len(times)-1].Time) >= p.step {
			t.Errorf("%s: %d buckets: %v", query, len(times), times)
		}
	}
}

// What is no window, or two, is refused with what to type.
func TestPeriod_Refused(t *testing.T) {
	for query, hint := range map[string]string{
		"window=0":                              "30d",
		"window=0d":                             "30d",
		"window=-1d":                            "30d",
		"window=":                               "30d",
		"window=30":                             "30d",
		"window=d":                              "30d",
		"window=30y":                            "30d",
		"window=1.5d":                           "30d",
		"window=99999999999999999999d":          "30d",
		"window=99999w":                         "30d",
		"window=99999w99999w99999w99999w99999w": "30d",
		"window=30d&window=1d":                  "give it once",
		"step=2h":                               "1h or 1d",
		"step=":                                 "1h or 1d",
		"window=30d&from=2026-11-01T00:00:00Z":  "give window=30d, or from=",
		"window=30d&since=7":                    "give window=30d, or from=",
		"windows=30d":                           "window",
	} {
		q, wrong := parseQuery(query, byEnd["/history"].params)
		if wrong == nil {
			wrong = q.beginsOnce()
		}
		if wrong == nil || wrong.Code != provider.BadRequest || !strings.Contains(wrong.Hint, hint) {
			t.Errorf("%s: %+v", query, wrong)
		}
		if _, err := url.ParseQuery(query); err != nil {
			t.Errorf("%s is not a query: %v", query, err)
		}
	}
}
