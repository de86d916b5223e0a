package page_test

import (
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A provider in maintenance is marked wherever its state is shown, until that is over.
func TestViews_MarkMaintenance(t *testing.T) {
	d := startDaemon(t, mixed()...)
	d.upkeep = []provider.Maintenance{{ID: "ollama", Until: ago(-48 * time.Hour)}, {ID: "openai", Until: ago(time.Second)}}
	h := views(d)
	overview := get(t, h, base, 200)
	mustHave(t, "the overview", text(t, overview), "ollama maintenance")
	if n := strings.Count(overview, ">maintenance<"); n != 1 {
		t.Errorf("%d providers are marked", n)
	}
	mustHave(t, "the provider", text(t, get(t, h, base+"providers/ollama", 200)), "RUNNING maintenance", "nobody is told of trouble")
	if over := text(t, get(t, h, base+"providers/openai", 200)); strings.Contains(strings.ToLower(over), "maintenance") {
		t.Errorf("a maintenance that is over is shown: %s", over)
	}
}

// The daemon's view shows each sink with its sums and what to do, and no markup of a sink.
func TestDaemon_ShowsTheSinks(t *testing.T) {
	d := startDaemon(t, mixed()...)
	h := views(d)
	if source := get(t, h, base+"daemon", 200); strings.Contains(source, "Notifications") {
		t.Error("a daemon without sinks has a part about them")
	}
	d.sinks = []provider.NotifySink{
		{ID: "phone", Kind: "ntfy", Sent: 12, Waiting: 3, Dead: 2, SentAt: ago(2 * time.Hour), LastError: "503 <script>x</script>\u202e", Open: []string{"anthropic"}},
		{ID: "desk", Kind: "desktop"},
	}
	source := get(t, h, base+"daemon", 200)
	mustHave(t, "the daemon", text(t, source), "phone ntfy 12 3 2 2h ago anthropic 503", "→ see: providerctl notify retry phone", "desk desktop 0 0 0 never")
	if strings.Contains(source, "<script>x") || strings.Contains(source, "\u202e") {
		t.Error("the error of a sink is in the page as it came")
	}
}
