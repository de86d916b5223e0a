package page_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// Of every documented reason, the page without scripts has the state, the reason and the hint that
// status prints, in the order of status, with its sums.
func TestOverview_SaysOfEveryReasonWhatStatusSays(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []provider.Status
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([A-Za-z]+) \\|").FindAllStringSubmatch(string(doc), -1) {
		s := provider.Status{ID: "p-" + m[1], Kind: "ollama", Type: provider.Local, State: provider.State(m[2]), Reason: provider.Reason(m[1]), Detail: "seen of " + m[1], Hint: "do about " + m[1], Since: ago(time.Minute), CheckedAt: ago(time.Second)}
		if m[2] == "unchanged" {
			s.State, s.Paused = provider.StateRunning, m[1] == "paused"
		}
		rows = append(rows, s)
	}
	if len(rows) < 35 {
		t.Fatalf("%d reasons are documented", len(rows))
	}
	d := startDaemon(t, rows...)
	source := get(t, views(d), base, 200)
	sorted := ctl.ByUrgency(rows, time.Now())
	var want []string
	for _, s := range sorted {
		want = append(want, s.ID)
	}
	if got := ids(source); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("rows are %v, status has %v", got, want)
	}
	shown := text(t, source)
	for i := range rows {
		s := &rows[i]
		mustHave(t, "the overview", source, fmt.Sprintf(`data-id="%s" data-state="%s" data-reason="%s"`, s.ID, s.State, s.Reason))
		if hint := ctl.HintFor(s, time.Now()); hint != "" {
			mustHave(t, "the overview", shown, "→ "+hint)
			mustHave(t, "status", status(t, *s), string(s.State), string(s.Reason), hint)
		}
	}
	for _, need := range ctl.Needs(rows, time.Now()) {
		if need.Name != ctl.Usable {
			mustHave(t, "the overview", shown, fmt.Sprintf("%d %s", need.Count, need.Name))
		}
	}
}

// status is what status prints about one provider, in one line.
func status(t *testing.T, s provider.Status) string {
	t.Helper()
	var table strings.Builder
	if err := ctl.WriteTable(&table, provider.StatusReply{TS: ago(0), Providers: []provider.Status{s}}, ctl.TableOptions{}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(table.String()), " ")
}
