package ctl_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// Without a screen, a long history has a bounded number of bars, which stand for several days.
func TestHistory_PipedBarsAreBounded(t *testing.T) {
	const days, most = 401, 100
	from := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	window := provider.Window{From: provider.Time{Time: from}, Until: provider.Time{Time: from.Add(days*provider.Daily - time.Hour)}, Step: "1d"}
	one := provider.HistoryReply{ID: "a", Window: &window}
	all := provider.HistoriesReply{Window: window, Providers: []provider.History{{ID: "a"}}}
	whole := 1.0
	for i := range days {
		at := provider.Time{Time: from.Add(time.Duration(i) * provider.Daily)}
		one.Buckets = append(one.Buckets, provider.Bucket{Time: at, Spent: provider.Spent{KnownSeconds: 86400, UsableSeconds: 86400}})
		all.Times = append(all.Times, at)
		all.Providers[0].Usable, all.Providers[0].Known = append(all.Providers[0].Usable, &whole), append(all.Providers[0].Known, 1)
	}
	text := func(v any) reply {
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return ok(string(body))
	}
	d := startDaemon(t, map[string][]reply{
		"GET /api/history?window=30d": {text(all)}, "GET /api/providers/a/history?window=30d": {text(one)},
	})
	for _, words := range [][]string{{"history"}, {"history", "a"}} {
		got := d.run(t, words...).out
		bars := strings.Count(got, "█") + strings.Count(got, "#") - 1 // without the legend's
		if bars < most/2 || bars > most || !strings.Contains(got, "a bar for 5 days") {
			t.Errorf("%v: %d bars, want at most %d\n%s", words, bars, most, got)
		}
	}
}
