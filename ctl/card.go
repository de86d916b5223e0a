package ctl

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// maxChanges is how many of a provider's last changes its card shows.
const maxChanges = 5

// writeCard shows all that is known of one provider, and its last changes. The rest is
// shown even if there is no history.
func (a *app) writeCard(ctx context.Context, s *provider.Status, reply *provider.StatusReply) error {
	opts := a.tableOptions(&format{}, reply.TS)
	opts.maintained, opts.slots = reply.Maintenance, reply.Slots
	text := card(s, opts)
	if !isRemote(s.ID) { // only its own machine has its history
		if history, err := CardHistory(ctx, a.client, s.ID); err == nil {
			text += changes(history, opts)
		}
	}
	_, err := io.WriteString(a.Stdout, text)
	return err
}

// card is a heading, and a line for each thing that is known.
func card(s *provider.Status, opts TableOptions) string {
	bullet, state := "●", string(s.State)
	if opts.Color {
		bullet = stateColor(s.State) + bullet + colorOff
		state = stateColor(s.State) + state + colorOff
	}
	heading := provider.Printable(s.ID + " (" + s.Kind + ", " + string(s.Type) + ")")
	if s.Endpoint != "" {
		heading += " at " + provider.Printable(s.Endpoint)
	}
	lines := cardLines(s, opts.Now)
	if until := maintainedUntil(s.ID, opts); !until.IsZero() {
		lines = slices.Insert(lines, 1, [2]string{"Maintenance", "until " + clock(until, opts.Now) + "; nobody is told of trouble"})
	}
	if text := SlotsText(s.ID, opts.slots); text != "" {
		lines = append(lines, [2]string{"Slots", text})
	}
	for i := range lines {
		if name := lines[i][0]; name == "Hint" || name == "Key" {
			lines[i][1] = opts.spell(lines[i][1])
		}
	}
	names := len("State:")
	for _, line := range lines {
		names = max(names, len(line[0])+1)
	}
	label := func(name string) string { return strings.Repeat(" ", 2+names-len(name)-1) + name + ": " }

	var b strings.Builder
	_, text := hanging("● ", heading, opts.Width)
	b.WriteString(bullet + " " + text)
	for _, line := range lines {
		name, text := hanging(label(line[0]), provider.Printable(line[1]), opts.Width)
		if line[0] == "State" {
			text = strings.Replace(text, string(s.State), state, 1)
		}
		b.WriteString(name + text)
	}
	return b.String()
}

// cardLines are the names and values of what is known.
func cardLines(s *provider.Status, now time.Time) (lines [][2]string) {
	add := func(name, value string) {
		if value != "" {
			lines = append(lines, [2]string{name, value})
		}
	}
	add("State", stateSince(s, now))
	add("Reason", reasonLine(s.Reason))
	story := storyOf(s.Doubt, s.Detail)
	if story.doubt != nil {
		add("Doubt", story.doubt.String())
	}
	add("Detail", story.detail)
	if s.RetryAt.After(now) {
		add("Limit", "send nothing until "+clock(s.RetryAt, now)+", "+in(s.RetryAt, now))
	}
	add("Left", limitsLine(s, now))
	if s.Reason != provider.OK && (s.Reason != provider.RateLimited || !s.RetryAt.After(now)) {
		hint, _, _ := strings.Cut(hintOf(s, now), "; see: providerctl status ") // the reader is there
		add("Hint", hint)
	}
	if s.Reported != nil {
		add("Reported", reportedLine(s.Reported, now))
	}
	if h := s.Hearsay; h != nil && now.Sub(h.At.Time) < provider.LongestHearsay {
		add("Heard", string(h.Reason)+", "+ago(h.At, now)+": "+h.Detail)
	}
	if s.Incident != nil {
		add("Incident", incidentCell(s.Incident, now))
	}
	add("Source", accordingTo(s))
	add("Version", s.Version)
	add("Models", modelsLine(s))
	add("Load", Load(s))
	if s.Client != nil {
		add("Base URL", s.Client.OpenAIBaseURL)
	}
	if s.KeyWithheld {
		add("Key", "not sent: the user who listens there is not trusted with it; see: providerctl diagnose "+s.ID)
	}
	add("Checked", checkedLine(s, now))
	if s.State != provider.StateRunning && !s.LastOKAt.IsZero() {
		add("Last ok", atAndAgo(s.LastOKAt, now))
	}
	if s.State == provider.StateRunning {
		add("Last error", s.LastError)
	}
	return lines
}

func stateSince(s *provider.Status, now time.Time) string {
	text := string(s.State)
	if s.Stale {
		text += ", last known"
	}
	if !s.Since.IsZero() {
		text += " since " + atAndAgo(s.Since, now)
	}
	return text
}

// reasonLine is a reason and what it means.
func reasonLine(r provider.Reason) string {
	if r == "" || r == provider.OK {
		return string(r)
	}
	return string(r) + ": " + strings.TrimSuffix(provider.Seen(r), ".")
}

func reportedLine(r *provider.Reported, now time.Time) string {
	return string(r.Reason) + ", " + ago(r.At, now) + ": " + r.Detail
}

// modelsLine is how many models there are, and which of them are loaded.
func modelsLine(s *provider.Status) string {
	if s.ModelsCount == nil {
		return ""
	}
	text := strconv.Itoa(*s.ModelsCount)
	if len(s.LoadedModels) > 0 {
		text += ", loaded: " + strings.Join(s.LoadedModels, ", ")
	}
	return text
}

func checkedLine(s *provider.Status, now time.Time) string {
	text := "never"
	if seen := age(*s, now); seen != unknown {
		text, _, _ = strings.Cut(seen, " ")
		text += " ago"
		if s.LatencyMS > 0 {
			text += " in " + latency(s.LatencyMS)
		}
	}
	switch {
	case s.Paused:
		return text + ", not again while it is paused"
	case !s.NextCheckAt.IsZero():
		text += ", again " + in(s.NextCheckAt, now)
	}
	return text
}

// atAndAgo is a time, and how long ago it was.
func atAndAgo(t provider.Time, now time.Time) string {
	return t.In(now.Location()).Format("2006-01-02 15:04:05") + ", " + ago(t, now)
}

// changes are the last changes of a history, the latest at the end, and how much of the
// time the provider was up.
func changes(h *provider.HistoryReply, opts TableOptions) string {
	events := h.Transitions[max(0, len(h.Transitions)-maxChanges):]
	text := ""
	if h.UptimeRatio != nil {
		label, up := hanging("  ", uptime(h), opts.Width)
		text = "\n" + label + up
	}
	if len(events) == 0 {
		return text
	}
	const indent = "  "
	inner := opts
	if inner.Width > 0 {
		inner.Width = max(1, inner.Width-len(indent))
	}
	g, widths := changesLayout(events, h.ID, inner)
	lines := strings.TrimSuffix(g.text(widths), "\n")
	return text + "\n" + indent + strings.ReplaceAll(lines, "\n", "\n"+indent) + "\n"
}

// storyOfChange is what was seen, and who did what may have caused it.
func storyOfChange(e *provider.Event) string {
	story := storyOf(e.Doubt, e.Detail).String()
	switch {
	case e.Action == nil:
		return story
	case story == "":
		return e.Action.String()
	}
	return story + ", " + e.Action.String()
}

// changesLayout is the table of changes that fits: times become ages, and the state
// before is left out.
func changesLayout(events []provider.Event, id string, opts TableOptions) (*grid, []int) {
	var g *grid
	var widths []int
	for _, form := range []struct{ exact, from, detail bool }{{true, true, true}, {true, true, false}, {false, true, false}, {false, false, false}} {
		g = &grid{bare: true, titles: []string{"TIME", "CHANGE", "REASON"}, right: make([]bool, 4)}
		if form.detail {
			g.titles = append(g.titles, "DETAIL")
		}
		for _, e := range events {
			cells := []string{ago(e.Time, opts.Now), string(e.To), string(e.Reason), or(storyOfChange(&e))}
			if form.exact {
				cells[0] = e.Time.In(opts.Now.Location()).Format("2006-01-02 15:04:05")
			}
			if form.from {
				cells[1] = string(e.From) + arrow(opts.ASCII) + string(e.To)
			}
			if e.ID != id { // of this machine
				cells[1] = e.ID + ": " + cells[1]
			}
			for i := range cells {
				cells[i] = provider.Printable(cells[i])
			}
			g.rows = append(g.rows, cells[:len(g.titles)])
		}
		g.drop("DETAIL")
		widths = g.widths()
		if g.fit(widths, opts.Width, map[string]int{"DETAIL": 20}) {
			return g, widths
		}
	}
	squeeze(widths, opts.Width, func(int) int { return 1 })
	return g, widths
}
