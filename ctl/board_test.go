package ctl_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

var boardNow = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) provider.Time { return provider.Time{Time: boardNow.Add(-d)} }

// boardRow is a row that was probed 2 s ago.
func boardRow(id string, state provider.State, reason provider.Reason) provider.Status {
	ms := int64(2000)
	return provider.Status{
		ID: id, Kind: "ollama", State: state, Reason: reason, AgeMS: &ms, CheckedAt: ago(2 * time.Second), Since: ago(2 * time.Hour),
	}
}

func everyNeed() []provider.Status {
	ok := boardRow("ollama", provider.StateRunning, provider.OK)
	ok.LatencyMS = 0.8
	slow := boardRow("gpu1", provider.StateDegraded, provider.Slow)
	slow.LatencyMS, slow.Detail = 4200, "took 4.2 s"
	limited := boardRow("openai", provider.StateDegraded, provider.RateLimited)
	limited.RetryAt = provider.Time{Time: boardNow.Add(41 * time.Second)}
	paused := boardRow("spare", provider.StateRunning, provider.Paused)
	paused.Paused = true
	return []provider.Status{
		ok, boardRow("lab", provider.StateStopped, provider.ConnectionRefused), paused, slow, limited,
		boardRow("fresh", provider.StateUnknown, provider.NotChecked),
		boardRow("bigmodel", provider.StateStarting, provider.Loading),
		boardRow("broken", provider.StateError, provider.ServerError),
		boardRow("anthropic", provider.StateError, provider.Unauthorized),
	}
}

// picture is a board's text, without the blanks at the ends of its lines.
func picture(b *ctl.Board) string {
	text := strings.TrimRight(b.Titles().Text(), " ") + "\n"
	for i := range b.Len() {
		text += strings.TrimRight(b.Line(i).Text(), " ") + "\n"
	}
	return text
}

// The rows are grouped by what they need, the most urgent first, with as many columns as
// the screen has room for.
func TestBoard(t *testing.T) {
	pulse := func(id string) []float64 {
		if id == "ollama" {
			return []float64{0.5, 0.5, 0.8, 0, 5, 0.5, 0.5, 0.5, 1000}
		}
		return nil
	}
	uptime := func(id string) (float64, bool) {
		return map[string]float64{"ollama": 0.99996, "gpu1": 1}[id], id != "fresh"
	}
	for name, tc := range map[string]struct {
		opts ctl.BoardOptions
		want string
	}{
		"80": {ctl.BoardOptions{Width: 80, Pulse: pulse, Uptime: uptime, Margin: map[string]string{"lab": "*"}}, `  ID         STATE     REASON                       LATENCY  UP 24H  AGE
needs you (1)
  anthropic  ERROR     unauthorized                       -      0%  2s
failing (1)
  broken     ERROR     server_error                       -      0%  2s
limited (1)
  openai     DEGRADED  rate_limited until 12:00:41        -      0%  2s
starting (1)
  bigmodel   STARTING  loading                            -      0%  2s
usable (2)
  ollama     RUNNING   ok                            0.8 ms  99.99%  2s
  gpu1       DEGRADED  slow                           4.2 s    100%  2s
stopped (1)
* lab        STOPPED   connection_refused                 -      0%  2s
not known (1)
  fresh      UNKNOWN   not_checked                        -       -  2s
paused (1)
  spare      RUNNING   paused                             -      0%  2s
`},
		"40": {ctl.BoardOptions{Width: 40, Pulse: pulse, Uptime: uptime}, `  ID         STATE     REASON
needs you (1)
  anthropic  ERROR     unauthorized
failing (1)
  broken     ERROR     server_error
limited (1)
  openai     DEGRADED  rate_limited
starting (1)
  bigmodel   STARTING  loading
usable (2)
  ollama     RUNNING   ok
  gpu1       DEGRADED  slow
stopped (1)
  lab        STOPPED   connection_refus…
not known (1)
  fresh      UNKNOWN   not_checked
paused (1)
  spare      RUNNING   paused
`},
		"200": {ctl.BoardOptions{Width: 200, Pulse: pulse, Uptime: uptime}, `  ID         STATE     REASON                       LATENCY  TREND                     UP 24H  AGE  SINCE   DETAIL
needs you (1)
  anthropic  ERROR     unauthorized                       -  -                             0%  2s   2h ago  -
failing (1)
  broken     ERROR     server_error                       -  -                             0%  2s   2h ago  -
limited (1)
  openai     DEGRADED  rate_limited until 12:00:41        -  -                             0%  2s   2h ago  -
starting (1)
  bigmodel   STARTING  loading                            -  -                             0%  2s   2h ago  -
usable (2)
  ollama     RUNNING   ok                            0.8 ms                 ▁▁▂ ▇▁▁▁█  99.99%  2s   2h ago  -
  gpu1       DEGRADED  slow                           4.2 s  -                           100%  2s   2h ago  took 4.2 s
stopped (1)
  lab        STOPPED   connection_refused                 -  -                             0%  2s   2h ago  -
not known (1)
  fresh      UNKNOWN   not_checked                        -  -                              -  2s   2h ago  -
paused (1)
  spare      RUNNING   paused                             -  -                             0%  2s   2h ago  -
`},
		"AwayAndASCII": {ctl.BoardOptions{Width: 110, ASCII: true, Away: true, Pulse: pulse}, `  ID         STATE     REASON                       LATENCY  TREND     AGE       SINCE   DETAIL
needs you (1), stale
  anthropic  ERROR     unauthorized                       -  -         2s stale  2h ago  -
failing (1), stale
  broken     ERROR     server_error                       -  -         2s stale  2h ago  -
limited (1), stale
  openai     DEGRADED  rate_limited until 12:00:41        -  -         2s stale  2h ago  -
starting (1), stale
  bigmodel   STARTING  loading                            -  -         2s stale  2h ago  -
usable (2), stale
  ollama     RUNNING   ok                            0.8 ms  _. *___#  2s stale  2h ago  -
  gpu1       DEGRADED  slow                           4.2 s  -         2s stale  2h ago  took 4.2 s
stopped (1), stale
  lab        STOPPED   connection_refused                 -  -         2s stale  2h ago  -
not known (1), stale
  fresh      UNKNOWN   not_checked                        -  -         2s stale  2h ago  -
paused (1), stale
  spare      RUNNING   paused                             -  -         2s stale  2h ago  -
`},
	} {
		t.Run(name, func(t *testing.T) {
			tc.opts.Now = boardNow
			b := ctl.NewBoard(everyNeed(), tc.opts)
			if diff := cmp.Diff(tc.want, picture(b)); diff != "" {
				t.Error(diff)
			}
		})
	}
	b := ctl.NewBoard(everyNeed(), ctl.BoardOptions{Width: 80, Now: boardNow})
	for i := range b.Len() {
		if id := b.ID(i); id != "" && b.Find(id) != i {
			t.Errorf("%s is on line %d, not on %d", id, i, b.Find(id))
		}
	}
	if got := b.IDs(); len(got) != 9 || got[0] != "anthropic" || b.Find("nobody") != -1 {
		t.Errorf("%q, %d", got, b.Find("nobody"))
	}
}

// hostileTexts are what a provider could send to harm a screen.
var hostileTexts = []string{
	"\x1b[2J\x1b]0;owned\x07", "a\rb\nc\td\x00", "\u202egnp.exe", "\u2066x", "日本語のモデル", "👩‍👩‍👧‍👦🇩🇪", "e\u0301\u0301\u0301",
	"עברית", "\xff\xfe", strings.Repeat("long ", 2000), "<b>markup</b>",
}

// Whatever a provider sends, a line is no wider than the screen, and its text shows.
func TestBoard_ShowsHostileTextsAsText(t *testing.T) {
	var rows []provider.Status
	for i, text := range hostileTexts {
		s := boardRow(fmt.Sprint(text[:min(20, len(text))], i), provider.StateError, provider.Reason(text))
		s.Detail, s.Hint, s.Version = text, text, text
		rows = append(rows, s)
	}
	check := func(t *testing.T, what string, line ctl.Line, width int, ascii bool) {
		t.Helper()
		text := line.Text()
		if w := uniseg.StringWidth(text); w > width {
			t.Errorf("%s: %d columns of %d: %q", what, w, width, text)
		}
		for _, r := range text {
			if !provider.Shows(r) || ascii && r > '~' {
				t.Errorf("%s: %q in %q", what, r, text)
			}
		}
	}
	for width := 1; width < 220; width += 13 {
		for _, ascii := range []bool{false, true} {
			b := ctl.NewBoard(rows, ctl.BoardOptions{Width: width, Now: boardNow, ASCII: ascii})
			check(t, "titles", b.Titles(), width, ascii)
			for i := range b.Len() {
				check(t, "row", b.Line(i), width, ascii)
			}
			for i := range rows {
				parts := ctl.CardParts{
					Row:         &rows[i],
					Diagnostics: &provider.Diagnostics{ID: rows[i].ID, Requests: []provider.Exchange{{Method: "GET", URL: rows[i].Detail, BodyStart: rows[i].Detail}}},
					Models:      &provider.ModelsReply{ID: rows[i].ID, Models: []provider.Model{{ID: rows[i].Detail}}},
				}
				for _, line := range ctl.CardLines(parts, ctl.TableOptions{Width: width, Now: boardNow, ASCII: ascii}) {
					check(t, "card", line, width, ascii)
				}
			}
		}
	}
}

// A steady provider is flat, and what was not measured is left blank.
func TestTrend(t *testing.T) {
	for _, tc := range []struct {
		ms    []float64
		cells int
		want  string
	}{
		{nil, 8, ""},
		{[]float64{0, 0}, 8, ""},
		{[]float64{5, 5, 5}, 8, "▁▁▁"},
		{[]float64{100, 110, 95, 90}, 8, "▁▁▁▁"},
		{[]float64{1, 1.5, 2.25, 1000}, 8, "▁▂▃█"},
		{[]float64{1, 0, 2, 0}, 8, "▁ ▃ "},
		{[]float64{1, 2, 4}, 2, "▁▃"},
	} {
		if got := ctl.Trend(tc.ms, tc.cells, false); got != tc.want {
			t.Errorf("%v in %d cells: %q, want %q", tc.ms, tc.cells, got, tc.want)
		}
		ascii := ctl.Trend(tc.ms, tc.cells, true)
		if slices.ContainsFunc([]rune(ascii), func(r rune) bool { return r > '~' }) || len(ascii) != uniseg.StringWidth(tc.want) {
			t.Errorf("%v in ASCII: %q", tc.ms, ascii)
		}
	}
}
