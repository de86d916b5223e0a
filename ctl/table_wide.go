package ctl

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

const loadTitle = "LOAD" // shown if any provider reports it

// wideColumns are all columns of a provider.
func wideColumns(opts *TableOptions) []column {
	return []column{
		idColumn(), stateColumn(), reasonColumn(true), latencyColumn(), ageColumn(), sinceColumn(),
		textColumn("KIND", func(s provider.Status) string { return s.Kind }),
		textColumn("ENDPOINT", func(s provider.Status) string { return s.Endpoint }),
		textColumn("VERSION", func(s provider.Status) string { return s.Version }),
		{"MODELS", true, func(s provider.Status, _ time.Time) string { return models(s) }},
		textColumn(loadTitle, func(s provider.Status) string { return Load(&s) }),
		{slotsTitle, false, func(s provider.Status, _ time.Time) string { return slotsCell(s.ID, opts.slots) }},
		{"NEXT", false, func(s provider.Status, now time.Time) string { return in(s.NextCheckAt, now) }},
		{"RETRY", false, func(s provider.Status, now time.Time) string { return in(s.RetryAt, now) }},
		{leftTitle, false, func(s provider.Status, now time.Time) string { return leftCell(&s, now) }},
		textColumn("DETAIL", func(s provider.Status) string { return attributed(&s, storyOf(s.Doubt, s.Detail).String()) }),
		{"INCIDENT", false, func(s provider.Status, now time.Time) string { return incidentCell(s.Incident, now) }},
		textColumn(hintTitle, func(s provider.Status) string { return s.Hint }),
	}
}

// models shows how many models there are and, if known, how many of them are loaded:
// "7 (1 loaded)".
func models(s provider.Status) string {
	if s.ModelsCount == nil {
		return unknown
	}
	text := strconv.Itoa(*s.ModelsCount)
	if n := len(s.LoadedModels); n > 0 {
		text += " (" + strconv.Itoa(n) + " loaded)"
	}
	return text
}

// wideLayout is a table that fits, of the columns that have something to show; else the
// widths are nil. If it is cut to fit, hints are below it, and a limit is not shown twice.
func wideLayout(rows []provider.Status, opts TableOptions) (*grid, []int) {
	whole := newGrid(wideColumns(&opts), rows, opts)
	whole.drop(loadTitle)
	whole.drop(slotsTitle)
	whole.drop(leftTitle)
	widths := whole.widths()
	if opts.Width <= 0 || total(widths) <= opts.Width {
		return whole, widths
	}
	g := newGrid(wideColumns(&opts), rows, opts)
	g.remove(hintTitle, "RETRY")
	for _, title := range slices.Clone(g.titles[3:]) {
		g.drop(title)
	}
	least := map[string]int{"ID": 16, "ENDPOINT": 20, "DETAIL": 20, "INCIDENT": 16}
	widths = g.widths()
	if squeeze(widths, opts.Width, func(column int) int { return least[g.titles[column]] }) {
		return g, widths
	}
	return whole, nil
}

// blocks is the cells of each row, one below the other.
func (g *grid) blocks(width int) string {
	var b strings.Builder
	names := 0
	for _, title := range g.titles {
		names = max(names, displayWidth(title))
	}
	for r, row := range g.rows {
		if r > 0 {
			b.WriteByte('\n')
		}
		for i, cell := range row {
			if cell == unknown {
				continue
			}
			label, text := hanging(pad(g.titles[i], names)+gap, cell, width)
			if g.style != nil {
				text = g.style(r, i, text)
			}
			b.WriteString(label + text)
		}
	}
	return b.String()
}
