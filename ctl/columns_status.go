package ctl

import (
	"math"
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A column shows one thing of each provider.
type column struct {
	title string
	right bool
	show  func(s provider.Status, now time.Time) string
}

const (
	stateTitle = "STATE"
	hintTitle  = "HINT"
)

// textColumn is a column of the daemon's texts as they are.
func textColumn(title string, get func(provider.Status) string) column {
	return column{title, false, func(s provider.Status, _ time.Time) string { return or(provider.Printable(get(s))) }}
}

// The columns of a table that is not wide.
func idColumn() column {
	return column{"ID", false, func(s provider.Status, _ time.Time) string { return provider.Printable(s.ID) }}
}

func stateColumn() column {
	return column{stateTitle, false, func(s provider.Status, _ time.Time) string { return provider.Printable(string(s.State)) }}
}

// reasonColumn marks a row that is in doubt, whose detail is what was seen. With until it
// also shows how long a provider is to be left alone.
func reasonColumn(until bool) column {
	return column{"REASON", false, func(s provider.Status, now time.Time) string {
		text := string(s.Reason)
		if doubtOf(&s) != nil {
			text += "?"
		}
		if limit := limitedUntil(&s, now); until && limit != "" {
			text += " " + limit
		}
		return provider.Printable(text)
	}}
}

func latencyColumn() column {
	return column{"LATENCY", true, func(s provider.Status, _ time.Time) string { return latency(s.LatencyMS) }}
}

func ageColumn() column { return column{"AGE", false, age} }

func sinceColumn() column {
	return column{"SINCE", false, func(s provider.Status, now time.Time) string { return ago(s.Since, now) }}
}

func detailColumn() column {
	return textColumn("DETAIL", func(s provider.Status) string { return storyOf(s.Doubt, s.Detail).String() })
}

// limitedUntil is until when a provider is to be left alone, if nobody has to act; else
// it is empty.
func limitedUntil(s *provider.Status, now time.Time) string {
	if !s.RetryAt.After(now) || s.Paused || s.Reason.NeedsPerson() {
		return ""
	}
	return "until " + clock(s.RetryAt, now)
}

// A choice of columns has least widths: wider columns are cut down to them before the
// next choice is tried. A column without a least width is not cut.
type columnChoice struct {
	columns []column
	least   map[string]int
}

// layout is the table that fits; if its widths are nil, it is shown as blocks.
func layout(rows []provider.Status, opts TableOptions) (*grid, []int) {
	if opts.Wide {
		return wideLayout(rows, opts)
	}
	id, state, reason := idColumn(), stateColumn(), reasonColumn(true)
	short := reasonColumn(false)
	choices := []columnChoice{
		{[]column{id, state, reason, latencyColumn(), ageColumn(), sinceColumn(), detailColumn()}, map[string]int{"DETAIL": 20, "ID": 20}},
		{[]column{id, state, reason, latencyColumn(), ageColumn(), sinceColumn()}, map[string]int{"ID": 20}},
		{[]column{id, state, reason, ageColumn(), sinceColumn()}, map[string]int{"ID": 16}},
		{[]column{id, state, short, ageColumn()}, map[string]int{"ID": 16}},
		{[]column{id, state, short}, map[string]int{"ID": 9, "REASON": 9}},
		{[]column{id, state}, map[string]int{"ID": 1}},
	}
	var g *grid
	var widths []int
	for _, choice := range choices {
		g = newGrid(choice.columns, rows, opts)
		g.drop("DETAIL")
		g.drop("SINCE")
		widths = g.widths()
		if g.fit(widths, opts.Width, choice.least) {
			return g, widths
		}
	}
	// Not even an ID of one character fits beside the state.
	g.fit(widths, opts.Width, map[string]int{stateTitle: 1})
	return g, widths
}

// fit cuts columns until the table is no wider than the screen, the least important
// first, and reports whether it fits.
func (g *grid) fit(widths []int, width int, least map[string]int) bool {
	if width <= 0 {
		return true
	}
	cutTo := func(title string, times int) {
		at := slices.Index(g.titles, title)
		if most, ok := least[title]; ok && at >= 0 {
			shrink(&widths[at], times*most, total(widths)-width)
		}
	}
	cutTo("DETAIL", 2)
	for _, title := range []string{"ID", "DETAIL", "REASON", stateTitle} {
		cutTo(title, 1)
	}
	return total(widths) <= width
}

// shrink reduces a width by up to want columns, but not below least.
func shrink(width *int, least, want int) { *width -= max(0, min(want, *width-least)) }

// orAny is a width; 0 means any.
func orAny(width int) int {
	if width <= 0 {
		return math.MaxInt
	}
	return width
}
