package ctl_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// thirtyDays is a history of 31 days: up but for an outage of 3 minutes, a day that is down,
// and two days of which nothing is known.
func thirtyDays(id string) provider.HistoryReply {
	from := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	until := from.Add(30*provider.Daily + 12*time.Hour)
	h := provider.HistoryReply{
		ID: id, Since: provider.Time{Time: from},
		Window: &provider.Window{From: provider.Time{Time: from}, Until: provider.Time{Time: until}, Step: "1d"},
		Probed: &provider.Probed{Probes: 259200, OK: 250000, P50MS: 1.2, P95MS: 3.4, P99MS: 1234},
		Outages: &provider.Outages{
			Count: 12, Seconds: 86580, LongestSeconds: 86400, MeanBetweenSeconds: 9 * 86400,
			Last: []provider.Outage{
				{Began: provider.Time{Time: from.Add(-time.Hour)}, Ended: provider.Time{Time: from.Add(3 * time.Hour)}, Seconds: 180, State: provider.StateDegraded, Reason: provider.Hung},
				{Began: provider.Time{Time: from.Add(4 * provider.Daily)}, Seconds: 86400, State: provider.StateStopped, Reason: provider.ConnectionRefused},
			},
		},
		Transitions: []provider.Event{},
	}
	for i := range 31 {
		b := provider.Bucket{Time: provider.Time{Time: from.Add(time.Duration(i) * provider.Daily)}}
		b.KnownSeconds, b.UsableSeconds = 86400, 86400
		b.StateSeconds = map[provider.State]float64{provider.StateRunning: 86400}
		switch i {
		case 2:
			b.UsableSeconds -= 180
			b.StateSeconds = map[provider.State]float64{provider.StateRunning: 86220, provider.StateDegraded: 180}
		case 4:
			b.UsableSeconds = 0
			b.StateSeconds = map[provider.State]float64{provider.StateStopped: 86400}
		case 7, 8:
			continue
		case 30:
			b.KnownSeconds, b.UsableSeconds = 43200, 43200
			b.StateSeconds = map[provider.State]float64{provider.StateRunning: 43200}
		}
		h.Buckets = append(h.Buckets, b)
		h.Add(b.Spent)
	}
	h.UptimeRatio, h.UsableRatio = h.Up(), h.Spent.Usable()
	return h
}

// asOneOf is the same history as an entry of a list.
func asOneOf(h provider.HistoryReply) provider.History {
	one := provider.History{ID: h.ID, Kind: "ollama", Since: h.Since, UptimeRatio: h.UptimeRatio, UsableRatio: h.UsableRatio, Spent: h.Spent, Probed: *h.Probed, Outages: h.Outages}
	buckets := h.Buckets
	for i := range 31 {
		at := h.Window.From.Add(time.Duration(i) * provider.Daily)
		if len(buckets) == 0 || !buckets[0].Time.Equal(at) {
			one.Known, one.Usable = append(one.Known, 0), append(one.Usable, nil)
			continue
		}
		one.Known, one.Usable = append(one.Known, buckets[0].KnownSeconds/86400), append(one.Usable, buckets[0].Usable())
		buckets = buckets[1:]
	}
	return one
}

func historyScript(t *testing.T) map[string][]reply {
	t.Helper()
	text := func(v any) reply {
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return ok(string(body))
	}
	one := thirtyDays("ollama")
	all := provider.HistoriesReply{Window: *one.Window}
	for i := range 31 {
		all.Times = append(all.Times, provider.Time{Time: one.Window.From.Add(time.Duration(i) * provider.Daily)})
	}
	never := provider.History{ID: "a-provider-with-a-long-name", Known: make([]float64, 31), Usable: make([]*float64, 31)}
	all.Providers = []provider.History{asOneOf(one), never}
	return map[string][]reply{
		"GET /api/providers/ollama/history?window=30d": {text(one)},
		"GET /api/history?window=30d":                  {text(all)},
	}
}

// A history fits on the screen, whatever its width, and in a pipe it is as wide as it gets.
// Regenerate the golden files with: go test ./ctl -run TestHistory_FitsTheScreen -update
func TestHistory_FitsTheScreen(t *testing.T) {
	plain := map[string]string{"NO_COLOR": "1", "LANG": "C.UTF-8"}
	ascii := map[string]string{"NO_COLOR": "1", "LC_ALL": "C"}
	for name, tc := range map[string]struct {
		columns   uint16
		variables map[string]string
	}{
		"20": {20, plain}, "40": {40, plain}, "80": {80, plain}, "120": {120, plain}, "200": {200, plain}, "ascii-80": {80, ascii},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, historyScript(t))
			var b strings.Builder
			for _, args := range [][]string{{"history"}, {"history", "ollama"}} {
				got := onTerminal(t, d, tc.columns, 50, tc.variables, args...).String()
				got = strings.TrimSuffix(strings.ReplaceAll(got, "\r\n", "\n"), "END")
				checkWidth(t, got, ctl.TableOptions{Width: int(tc.columns)})
				b.WriteString("$ providerctl " + strings.Join(args, " ") + "\n" + got + "\n")
			}
			golden(t, filepath.Join("testdata", "history", name+".txt"), b.String())
		})
	}
}

// A screen has colours, and a pipe has none; a bar of each kind has its own.
func TestHistory_Colours(t *testing.T) {
	d := startDaemon(t, historyScript(t))
	got := onTerminal(t, d, 120, 50, map[string]string{"LANG": "C.UTF-8"}, "history", "ollama").String()
	const green, yellow, red, dim, off = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m", "\x1b[0m"
	want := green + "██" + off + yellow + "▇" + off + green + "█" + off + red + "▁" + off + green + "██" + off + dim + "··" + off + green + "█"
	if !strings.Contains(got, want) {
		t.Errorf("no %q in\n%q", want, got)
	}
	for _, args := range [][]string{{"history"}, {"history", "ollama"}} {
		if r := d.run(t, args...); r.code != 0 || strings.Contains(r.out, "\x1b") || !strings.Contains(r.out, "██▇█▁██··████") {
			t.Errorf("%d\n%s%s", r.code, r.out, r.err)
		}
	}
}

// There is an error if no provider is configured, and a reply from another version cannot make
// the table panic.
func TestHistory_OddReplies(t *testing.T) {
	for name, body := range map[string]string{
		"NoProviders":   `{"times":[],"providers":[]}`,
		"Nothing":       `{}`,
		"WithoutArrays": `{"from":"2026-01-02T00:00:00.000Z","step":"1d","times":["2026-01-02T00:00:00.000Z"],"providers":[{"id":"a"},{"id":"b","up":[1,1,1],"usable":[1,1,1],"known":[1]}]}`,
		"NoTimes":       `{"providers":[{"id":"a","usable":[0.5],"known":[1],"uptime_ratio":0.5}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{"GET /api/history?window=30d": {ok(body)}})
			for _, columns := range []uint16{1, 20, 80} {
				onTerminal(t, d, columns, 50, nil, "history")
			}
		})
	}
}

// A thousand providers fit on the screen too, a line each, and the columns are those of the titles.
func TestHistory_OfAThousand(t *testing.T) {
	one := thirtyDays("x")
	all := provider.HistoriesReply{Window: *one.Window}
	for i := range 31 {
		all.Times = append(all.Times, provider.Time{Time: one.Window.From.Add(time.Duration(i) * provider.Daily)})
	}
	for i := range 1000 {
		h := asOneOf(one)
		h.ID = fmt.Sprintf("gpu%d%s", i, strings.Repeat("-rack", i%4))
		all.Providers = append(all.Providers, h)
	}
	body, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, map[string][]reply{"GET /api/history?window=30d": {ok(string(body))}})
	for _, columns := range []uint16{40, 80, 120, 200} {
		got := onTerminal(t, d, columns, 50, map[string]string{"NO_COLOR": "1", "LANG": "C.UTF-8"}, "history").String()
		got = strings.TrimSuffix(strings.ReplaceAll(got, "\r\n", "\n"), "END")
		checkWidth(t, got, ctl.TableOptions{Width: int(columns)})
		table, _, _ := strings.Cut(got, "\n\n")
		lines := strings.Split(table, "\n")
		if len(lines) != 1001 {
			t.Errorf("%d columns: %d lines", columns, len(lines))
		}
		for _, line := range lines[1:] {
			if uniseg.StringWidth(line) != uniseg.StringWidth(lines[0]) {
				t.Fatalf("%d columns: these are not aligned:\n%s\n%s", columns, lines[0], line)
			}
		}
	}
}

// If the event is gone, the hint is what to type for this provider's history.
func TestHistory_SinceAnEventThatIsGone(t *testing.T) {
	gone := func(hint string) reply {
		return refused(410, `{"error":{"code":"events_gone","message":"the events after 3 are gone","hint":"`+hint+`"}}`)
	}
	for hint, want := range map[string]string{
		"continue with the oldest kept event: providerctl events --since 41": "providerctl history a --since 41\n",
		"start at the oldest kept event: providerctl events":                 "show the last 30 days: providerctl history a\n",
	} {
		for _, more := range [][]string{nil, {"-o", "json"}} {
			d := startDaemon(t, map[string][]reply{"GET /api/providers/a/history?since=3": {gone(hint)}})
			r := d.run(t, append([]string{"history", "a", "--since", "3"}, more...)...)
			if r.code == 0 || !strings.Contains(r.err, "the events after 3 are gone") || !strings.Contains(r.err, want) || strings.Contains(r.err, "providerctl events") {
				t.Errorf("%v: %d %q, want %q", more, r.code, r.err, want)
			}
		}
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
