package ctl

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// TableOptions are how a table of statuses is shown.
type TableOptions struct {
	Width     int       // columns of the screen; 0: as wide as it gets
	Height    int       // lines of the screen that the table is to fit into; 0: any number
	Strict    bool      // it must fit, whatever is left out
	Sorted    bool      // keep the order of the rows, which somebody chose
	Color     bool      // colour the states
	ASCII     bool      // use nothing else; the writer spells what the rows have
	Wide      bool      // all that is known of each provider
	NoHeaders bool      // nothing but the rows
	Summary   bool      // sum up below
	OutOf     int       // how many providers the rows were selected from; 0: they are all
	Now       time.Time // zero: the reply's own time. Times of the day are in its zone

	// Spell adapts the commands in a hint to its reader; nil: as they are.
	Spell func(hint string) string

	// Marked are the IDs of rows with a star before them. Unless it is nil, there is a
	// margin for the star.
	Marked map[string]bool

	maintained []provider.Maintenance
	slots      []provider.SlotsReply
}

// WriteTable writes a row for each provider and, below, what to do about those that need
// it. It is never wider than the screen: details and IDs are cut, then the columns that
// matter least are left out. A wide table that does not fit becomes one block for each
// provider, with nothing left out. If there are too many rows for the screen, those of
// usable providers are left out first.
func WriteTable(w io.Writer, reply provider.StatusReply, opts TableOptions) error {
	if opts.Now.IsZero() {
		opts.Now = reply.TS.Time
	}
	if opts.Marked != nil && opts.Width > 0 {
		opts.Width = max(1, opts.Width-len(noMark))
	}
	opts.maintained, opts.slots = reply.Maintenance, reply.Slots
	t := tableOf(reply.Providers, opts)
	if over := t.lines() - opts.Height; opts.Height > 0 && over > 0 && !t.blocks {
		t = t.shortened(reply.Providers, over, opts)
	}
	_, err := io.WriteString(w, t.text())
	return err
}

// A table is its text, in the parts that are separated by an empty line.
type table struct {
	rows    string   // below their titles
	hints   []string // one for each row that has one
	upkeep  string   // which of them are in maintenance
	summary string
	blocks  bool // several lines for each row
}

func tableOf(rows []provider.Status, opts TableOptions) table {
	var t table
	g, widths := layout(rows, opts)
	if t.blocks = widths == nil; t.blocks {
		t.rows = g.blocks(opts.Width)
	} else {
		t.rows = g.text(widths)
	}
	if opts.Marked != nil {
		t.rows = marked(t.rows, rows, opts, t.blocks)
	}
	if opts.NoHeaders {
		return t
	}
	if !slices.Contains(g.titles, hintTitle) {
		t.hints = hints(rows, widths[0], opts)
	}
	t.upkeep = upkeep(rows, opts)
	t.summary = summary(rows, opts)
	if opts.Marked != nil {
		for i, hint := range t.hints {
			t.hints[i] = indented(hint)
		}
		t.upkeep, t.summary = indented(t.upkeep), indented(t.summary)
	}
	return t
}

// The margin of a row, with and without a star.
const (
	mark   = "* "
	noMark = "  "
)

// marked is the text of rows with their margin.
func marked(text string, rows []provider.Status, opts TableOptions, blocks bool) string {
	var b strings.Builder
	row, begins := -1, true
	if blocks || opts.NoHeaders {
		row = 0
	}
	for line := range strings.Lines(text) {
		switch {
		case line == "\n":
			begins = true
			b.WriteString(line)
			continue
		case begins && row >= 0 && opts.Marked[rows[row].ID]:
			b.WriteString(mark + line)
		default:
			b.WriteString(noMark + line)
		}
		if begins {
			row++
		}
		begins = !blocks
	}
	return b.String()
}

func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(noMark + line)
	}
	return b.String()
}

func (t *table) text() string {
	text := t.rows
	for _, part := range []string{strings.Join(t.hints, ""), t.upkeep, t.summary} {
		if part != "" {
			text += "\n" + part
		}
	}
	return text
}

func (t *table) lines() int { return strings.Count(t.text(), "\n") }

// shortened is the table with fewer rows, so that it takes so many lines less. A strict
// one also drops hints, as far as it has to.
func (t *table) shortened(rows []provider.Status, over int, opts TableOptions) table {
	if !opts.Sorted {
		rows = byUrgency(rows, opts.Now)
	}
	shown, rest := fitRows(rows, len(rows)-over, false, opts.Now)
	short := tableOf(shown, opts)
	short.summary = t.summary
	more := min(1, len(rest)) // the line that counts them
	for opts.Strict && short.lines()+more > opts.Height && len(short.hints) > 0 {
		short.hints = short.hints[:len(short.hints)-1]
	}
	if over := short.lines() + more - opts.Height; opts.Strict && over > 0 {
		shown, rest = fitRows(rows, len(shown)-over+more, true, opts.Now)
		summary := short.summary
		short = tableOf(shown, opts)
		short.hints, short.upkeep, short.summary = nil, "", summary
	}
	if len(rest) > 0 {
		short.rows += moreLine(rest, opts)
	}
	return short
}

// moreLine is how many rows are left out.
func moreLine(rest []provider.Status, opts TableOptions) string {
	text := "… " + strconv.Itoa(len(rest)) + " more"
	if !slices.ContainsFunc(rest, func(s provider.Status) bool { return standingOf(&s, opts.Now) != usable }) {
		text += ", usable"
	}
	if !opts.Strict {
		text += ": " + opts.spell("providerctl status") + " | less"
	}
	text = cut(text, orAny(opts.Width)) + "\n"
	if opts.Marked != nil {
		return indented(text)
	}
	return text
}

func newGrid(columns []column, rows []provider.Status, opts TableOptions) *grid {
	g := &grid{bare: opts.NoHeaders}
	for _, c := range columns {
		g.titles = append(g.titles, c.title)
		g.right = append(g.right, c.right)
	}
	for _, s := range rows {
		cells := make([]string, len(columns))
		for i, c := range columns {
			if cells[i] = c.show(s, opts.Now); c.title == hintTitle {
				cells[i] = opts.spell(cells[i])
			}
		}
		g.rows = append(g.rows, cells)
	}
	if opts.Color {
		g.style = func(row, column int, cell string) string {
			if columns[column].title != stateTitle {
				return cell
			}
			return stateColor(rows[row].State) + cell + colorOff
		}
	}
	return g
}

// The colours, as ECMA-48 sequences. They are of the terminal's own palette, to suit a
// dark and a light screen.
const (
	colorOff = "\x1b[0m"
	bold     = "\x1b[1m"
	dim      = "\x1b[2m"
	red      = "\x1b[31m"
	green    = "\x1b[32m"
	yellow   = "\x1b[33m"
	cyan     = "\x1b[36m"
)

// Styles are the sequences in a coloured table.
func Styles() []string { return []string{colorOff, bold, dim, red, green, yellow, cyan} }

func stateColor(s provider.State) string {
	switch s {
	case provider.StateRunning:
		return green
	case provider.StateStarting:
		return cyan
	case provider.StateDegraded:
		return yellow
	case provider.StateError:
		return red
	default:
		return dim
	}
}

// maxHints bounds the hints below a table, so that they do not push it off the screen.
const maxHints = 12

// hints are what to do about each provider that needs it. The IDs are cut to idWidth, as
// in the table above.
func hints(rows []provider.Status, idWidth int, opts TableOptions) (all []string) {
	var needy []provider.Status
	ids := 0
	for _, s := range rows {
		if s.Hint != "" && !s.Reason.Healthy() {
			needy = append(needy, s)
			ids = max(ids, displayWidth(provider.Printable(s.ID)))
		}
	}
	ids = min(ids, idWidth)
	for i, s := range needy {
		if i == maxHints {
			more := strconv.Itoa(len(needy)-i) + " more: " + opts.spell("providerctl status -o wide")
			label, text := hanging("… ", more, opts.Width)
			return append(all, dimmed(label+text, opts))
		}
		label, text := hanging(pad(cut(provider.Printable(s.ID), ids), ids)+gap, provider.Printable(opts.spell(hintOf(&s, opts.Now))), opts.Width)
		all = append(all, dimmed(label+text, opts))
	}
	return all
}

func (o *TableOptions) spell(hint string) string {
	if o.Spell == nil {
		return hint
	}
	return o.Spell(hint)
}

// hintOf is what to do next about a provider. The daemon's own hint for a limit covers both
// that there is a time when it ends, and that there is none.
func hintOf(s *provider.Status, now time.Time) string {
	if s.Reason != provider.RateLimited {
		return s.Hint
	}
	if until := limitedUntil(s, now); until != "" {
		return "send nothing " + until
	}
	hint, _, _ := strings.Cut(s.Hint, ", and none before retry_at")
	return hint
}

// summary is one line about all rows, for a screen.
func summary(rows []provider.Status, opts TableOptions) string {
	if !opts.Summary || len(rows) < 2 && opts.OutOf < 2 {
		return ""
	}
	c := censusOf(rows, opts.Now)
	return strings.Join(wrap(c.line(opts.OutOf, opts.Now), opts.Width), "\n") + "\n"
}

// dimmed is lines of text that are less important than what is above.
func dimmed(text string, opts TableOptions) string {
	if !opts.Color || text == "" {
		return text
	}
	return dim + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", colorOff+"\n"+dim) + colorOff + "\n"
}
