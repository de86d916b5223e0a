package page_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// ids are the rows of an overview, in their order.
func ids(source string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`<tr role="row" data-id="([^"]*)"`).FindAllStringSubmatch(source, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestOverview_HasEveryFactWithoutScripts(t *testing.T) {
	d := startDaemon(t, mixed()...)
	d.history = true
	source := get(t, views(d), base, 200)
	mustHave(t, "the overview", text(t, source),
		"1 of 5 usable", "1 needs you", "1 stopped", "1 limited 00:4", "Use now ollama", "desk",
		"ERROR anthropic unauthorized 401: invalid x-api-key → replace the key",
		"STOPPED lmstudio connection_refused connection refused → start the server", "DEGRADED openai rate_limited until",
		"RUNNING ollama http://127.0.0.1:11434 4 models , 1 loaded 3h 0.8 ms", "paused", "Refresh all", "24 hours", " %")
	mustHave(t, "the overview", source, `<noscript><meta http-equiv="refresh"`, `action="`+base+`do/refresh"`, `aria-label="last 24 hours: up `)
}

func TestOverview_IsInTheOrderOfStatus(t *testing.T) {
	rows := mixed()
	d := startDaemon(t, rows...)
	var want []string
	for _, s := range ctl.ByUrgency(rows, time.Now()) {
		want = append(want, s.ID)
	}
	if got := ids(get(t, views(d), base, 200)); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("rows are %v, status has %v", got, want)
	}
}

func TestOverview_SortsAndSelectsByItsAddress(t *testing.T) {
	d := startDaemon(t, mixed()...)
	d.history = true
	h := views(d)
	for query, want := range map[string]string{
		"?sort=id":                  "[anthropic groq lmstudio ollama openai]",
		"?sort=config":              "[ollama lmstudio openai anthropic groq]",
		"?sort=latency":             "[ollama groq anthropic openai lmstudio]",
		"?sort=state":               "[lmstudio ollama groq openai anthropic]",
		"?show=local":               "[lmstudio ollama]",
		"?show=cloud&sort=id":       "[anthropic groq openai]",
		"?show=problems&sort=id":    "[anthropic groq lmstudio openai]",
		"?q=127.0.0.1+running":      "[ollama]",
		"?q=nobody":                 "[]",
		"?sort=nonsense&show=drop'": "[anthropic lmstudio openai groq ollama]",
		"?id=groq&id=gone":          "[groq]",
		"?id=groq&show=local":       "[]",
	} {
		if got := fmt.Sprint(ids(get(t, h, base+query, 200))); got != want {
			t.Errorf("%s shows %s, want %s", query, got, want)
		}
	}
}

// A strip has a bar for each hour, even if nothing is known of it, and says the same in words.
func TestOverview_StripsHaveEveryHour(t *testing.T) {
	d := startDaemon(t, mixed()...)
	d.history = true
	strips := regexp.MustCompile(`(?s)<svg class="strip".*?</svg>`).FindAllString(get(t, views(d), base, 200), -1)
	if len(strips) != 5 {
		t.Fatalf("there are %d strips", len(strips))
	}
	for _, strip := range strips {
		unknown := regexp.MustCompile(`class="none" d="([^"]*)"`).FindStringSubmatch(strip)
		if bars := strings.Count(strip, "M"); bars != 24 {
			t.Errorf("%d bars: %s", bars, strip)
		}
		if unknown != nil && strings.Count(unknown[1], "M") > 3 {
			t.Errorf("hours are missing: %s", strip)
		}
		if unknown != nil && !strings.Contains(strip, fmt.Sprintf("unknown in %d", strings.Count(unknown[1], "M"))) {
			t.Errorf("the label does not say what is unknown: %s", strip)
		}
		if !strings.Contains(strip, `class="error"`) && !strings.Contains(strip, `class="degraded"`) {
			t.Errorf("it does not show what the provider was: %s", strip)
		}
		if !strings.Contains(strip, `role="img" aria-label="last 24 hours: up `) {
			t.Errorf("it has no words: %s", strip)
		}
	}
}

// The hours of very many providers are not asked for. Their strips come from the history of
// all, and their trend is of the probes that were seen: one that is shown twice counts once.
func TestOverview_OfVeryManyTrendsAreOfTheProbesSeen(t *testing.T) {
	rows := mixed()
	for i := range 100 {
		rows = append(rows, provider.Status{ID: fmt.Sprintf("gpu%d", i), State: provider.StateRunning})
	}
	d := startDaemon(t, rows...)
	d.history = true
	h := views(d)
	spark := regexp.MustCompile(`<path d="(M[^"]*)"/></svg></td>`)
	for range 3 {
		if found := spark.FindString(get(t, h, base+"?id=ollama", 200)); found != "" {
			t.Fatalf("one probe is a line: %s", found)
		}
	}
	d.mu.Lock()
	d.rows[0].CheckedAt, d.rows[0].LatencyMS = ago(0), 3
	d.mu.Unlock()
	if found := spark.FindString(get(t, h, base+"?id=ollama", 200)); found == "" {
		t.Error("two probes are no line")
	}
	if asked := d.requests("GET /api/providers/"); strings.Contains(fmt.Sprint(asked), "/history") {
		t.Errorf("asked %v", asked)
	}
	if source := get(t, h, base, 200); strings.Count(source, `class="strip"`) != len(rows) {
		t.Error("strips are missing")
	}
}

// The view that a part was fetched for is where its forms lead back to.
func TestOverview_PartsLeadBackToTheWhole(t *testing.T) {
	mustHave(t, "a part", get(t, views(startDaemon(t, mixed()...)), base+"?id=groq&sort=id&said=x", 200), `name="back" value="`+base+`?sort=id"`)
}

// A daemon without histories shows the same rows, without the columns for them.
func TestOverview_DoesWithoutHistory(t *testing.T) {
	source := get(t, views(startDaemon(t, mixed()...)), base, 200)
	if strings.Contains(source, "24 hours</th>") || len(ids(source)) != 5 {
		t.Error("there are strips, or rows are missing")
	}
}

// The daemon adds up the histories of all providers once, however many views are fetched.
func TestOverview_AsksForHistoriesOnce(t *testing.T) {
	d := startDaemon(t, mixed()...)
	d.history = true
	h := views(d)
	for range 5 {
		get(t, h, base+"?id=ollama", 200)
	}
	if asked := d.requests("GET /api/history"); len(asked) != 1 {
		t.Errorf("asked %d times: %v", len(asked), asked)
	}
	if asked := d.requests("GET /api/providers/ollama/history"); len(asked) != 1 {
		t.Errorf("asked for its hours %d times: %v", len(asked), asked)
	}
}

// What the hint says is not said before it.
func TestOverview_SaysItOnce(t *testing.T) {
	rows := mixed()[:1]
	rows[0].Paused, rows[0].Reason, rows[0].Detail, rows[0].Hint = true, provider.Paused, "probing is paused", "probing is paused: providerctl resume "+rows[0].ID
	h := views(startDaemon(t, rows...))
	if n := strings.Count(text(t, get(t, h, base, 200)), "probing is paused"); n != 1 {
		t.Errorf("the row says %d times that it is paused", n)
	}
}
