package ctl

import (
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// wideColumns are everything that a wide table shows.
func wideColumns() []column {
	text := func(title string, get func(provider.Status) string) column {
		return column{title, false, func(s provider.Status, _ time.Time) string { return or(provider.Printable(get(s))) }}
	}
	return append(basicColumns(),
		text("KIND", func(s provider.Status) string { return s.Kind }),
		text("ENDPOINT", func(s provider.Status) string { return s.Endpoint }),
		text("VERSION", func(s provider.Status) string { return s.Version }),
		column{"MODELS", true, func(s provider.Status, _ time.Time) string { return models(s) }},
		column{"SINCE", false, func(s provider.Status, now time.Time) string { return ago(s.Since, now) }},
		column{"NEXT", false, func(s provider.Status, now time.Time) string { return in(s.NextCheckAt, now) }},
		column{"RETRY", false, func(s provider.Status, now time.Time) string { return in(s.RetryAt, now) }},
		text("DETAIL", func(s provider.Status) string { return storyOf(s.Doubt, s.Detail).String() }),
		column{"INCIDENT", false, func(s provider.Status, now time.Time) string { return incidentCell(s.Incident, now) }},
		text("HINT", func(s provider.Status) string { return s.Hint }),
	)
}

// models shows how many models there are and, where it is known, how many of
// them are loaded: "7 (1 loaded)".
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

func writeWide(w io.Writer, rows []provider.Status, opts TableOptions) error {
	g := newGrid(wideColumns(), rows, opts)
	widths := g.widths()
	if opts.Width <= 0 || total(widths) <= opts.Width {
		return g.write(w, widths)
	}
	return writeBlocks(w, g, opts.Width)
}

// writeBlocks writes the cells of each row below one another.
func writeBlocks(w io.Writer, g *grid, width int) error {
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
	_, err := io.WriteString(w, b.String())
	return err
}
