package ctl

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// TableOptions say how a table of statuses is shown.
type TableOptions struct {
	Width int       // columns of the screen; 0: as wide as it gets
	Color bool      // colour the states
	Wide  bool      // everything that is known of each provider
	Now   time.Time // zero: the reply's own time
}

// WriteTable writes a row for each provider and, below, what to do about those
// that need something done. It is never wider than the screen: identifiers are
// cut, then the columns that matter least are left out. A wide table that does
// not fit becomes one block for each provider, with nothing left out.
func WriteTable(w io.Writer, reply provider.StatusReply, opts TableOptions) error {
	if opts.Now.IsZero() {
		opts.Now = reply.TS.Time
	}
	if opts.Wide {
		return writeWide(w, reply.Providers, opts)
	}
	columns := fitting(reply.Providers, opts)
	if err := newGrid(columns.columns, reply.Providers, opts).write(w, columns.widths); err != nil {
		return err
	}
	return writeHints(w, reply.Providers, columns.widths[0], opts)
}

// A column shows one thing of each provider.
type column struct {
	title string
	right bool
	show  func(s provider.Status, now time.Time) string
}

// basicColumns are those of a table that is not wide, in the order shown.
func basicColumns() []column {
	return []column{
		{"ID", false, func(s provider.Status, _ time.Time) string { return provider.Printable(s.ID) }},
		{stateTitle, false, func(s provider.Status, _ time.Time) string { return provider.Printable(string(s.State)) }},
		{"REASON", false, func(s provider.Status, _ time.Time) string { return provider.Printable(reasonCell(s)) }},
		{"LATENCY", true, func(s provider.Status, _ time.Time) string { return latency(s.LatencyMS) }},
		{"AGE", false, age},
	}
}

const stateTitle = "STATE"

// fit is a choice of columns, and how wide each is.
type fit struct {
	columns []column
	widths  []int
}

// fitting chooses the columns that the screen has room for.
func fitting(rows []provider.Status, opts TableOptions) fit {
	basic := basicColumns()
	choices := []struct {
		columns []column
		id      int // columns that identifiers are cut to, at the least
		reason  int // and reasons
	}{
		{basic, 20, 99},
		{slices.Concat(basic[:3], basic[4:]), 16, 99},
		{basic[:3], 9, 9},
		{basic[:2], 1, 1},
	}
	var f fit
	for _, choice := range choices {
		f.columns = choice.columns
		f.widths = newGrid(f.columns, rows, opts).widths()
		over := total(f.widths) - opts.Width
		if opts.Width <= 0 || over <= 0 {
			return f
		}
		over -= shrink(&f.widths[0], choice.id, over)
		if len(f.widths) > 2 {
			over -= shrink(&f.widths[2], choice.reason, over)
		}
		if over <= 0 {
			return f
		}
	}
	// Even an identifier of one character does not fit beside the state.
	shrink(&f.widths[1], 1, total(f.widths)-opts.Width)
	return f
}

// shrink takes up to want columns from a width, down to least, and returns how
// many it took.
func shrink(width *int, least, want int) int {
	taken := max(0, min(want, *width-least))
	*width -= taken
	return taken
}

func newGrid(columns []column, rows []provider.Status, opts TableOptions) *grid {
	g := &grid{}
	for _, c := range columns {
		g.titles = append(g.titles, c.title)
		g.right = append(g.right, c.right)
	}
	for _, s := range rows {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = c.show(s, opts.Now)
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

// The colours, as ECMA-48 sequences; those of the terminal's own palette, so
// that they suit a dark and a light screen.
const (
	colorOff = "\x1b[0m"
	dim      = "\x1b[2m"
	red      = "\x1b[31m"
	green    = "\x1b[32m"
	yellow   = "\x1b[33m"
	cyan     = "\x1b[36m"
)

// Styles are the sequences that a coloured table has.
func Styles() []string { return []string{colorOff, dim, red, green, yellow, cyan} }

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

// maxHints bounds the hints below a table, so that they do not push it off the
// screen.
const maxHints = 12

// writeHints says, for each provider that needs something done, what to do. The
// identifiers are cut as they are in the table above, to idWidth.
func writeHints(w io.Writer, rows []provider.Status, idWidth int, opts TableOptions) error {
	var needy []provider.Status
	ids := 0
	for _, s := range rows {
		if s.Hint != "" && s.Reason != provider.OK && s.Reason != provider.ScopeLimited {
			needy = append(needy, s)
			ids = max(ids, displayWidth(provider.Printable(s.ID)))
		}
	}
	if len(needy) == 0 {
		return nil
	}
	ids = min(ids, idWidth)
	var b strings.Builder
	for i, s := range needy {
		if i == maxHints {
			more := strconv.Itoa(len(needy)-i) + " more: providerctl status -o wide"
			label, text := hanging("… ", more, opts.Width)
			b.WriteString(label + text)
			break
		}
		label, text := hanging(pad(cut(provider.Printable(s.ID), ids), ids)+gap, provider.Printable(s.Hint), opts.Width)
		b.WriteString(label + text)
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if opts.Color {
		text = dim + strings.ReplaceAll(text, "\n", colorOff+"\n"+dim) + colorOff
	}
	_, err := io.WriteString(w, "\n"+text+"\n")
	return err
}

// reasonCell marks a row that is in doubt: what was seen is in the wide table.
func reasonCell(s provider.Status) string {
	if doubtOf(&s) != nil {
		return string(s.Reason) + "?"
	}
	return string(s.Reason)
}
