package ctl

import (
	"io"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// A modelTable shows what is known of the models of several providers.
type modelTable struct {
	merged bool
	rows   []listed
}

// listed is a model and the provider that lists it.
type listed struct {
	id string // of the provider
	provider.Model
}

// A modelColumn shows one thing of each model.
type modelColumn struct {
	title string
	right bool
	least int // columns of the screen to which it may be cut; 0: not at all
	keep  int // if there is no room for all, the smallest goes first
	show  func(listed) string
}

var modelColumns = []modelColumn{
	{"PROVIDER", false, 8, 6, func(m listed) string { return provider.Printable(m.id) }},
	{"MODEL", false, 20, 7, func(m listed) string { return provider.Printable(m.ID) }},
	{"LOADED", false, 0, 5, func(m listed) string { return yesNo(m.Loaded) }},
	{"SIZE", true, 0, 4, func(m listed) string { return size(m.Size) }},
	{"FAMILY", false, 6, 1, func(m listed) string { return or(provider.Printable(m.Family)) }},
	{"QUANT", false, 6, 2, func(m listed) string { return or(provider.Printable(m.Quantization)) }},
	{"CONTEXT", true, 0, 3, func(m listed) string { return tokens(m.ContextLength) }},
	{aliasesTitle, false, 8, 0, func(m listed) string { return or(provider.Printable(strings.Join(m.Aliases, ", "))) }},
}

// aliasesTitle heads the other names, if any model has some.
const aliasesTitle = "ALIASES"

// yesNo shows a value that can be unknown.
func yesNo(b *bool) string {
	switch {
	case b == nil:
		return unknown
	case *b:
		return "yes"
	}
	return "no"
}

// write prints the table, at most width columns wide unless width is 0: columns are cut as
// far as they may be, then those that matter least are left out.
func (t *modelTable) write(w io.Writer, width int) error {
	columns := slices.Clone(modelColumns)
	if !t.merged {
		columns = columns[1:]
	}
	if !slices.ContainsFunc(t.rows, func(m listed) bool { return len(m.Aliases) > 0 }) {
		columns = slices.DeleteFunc(columns, func(c modelColumn) bool { return c.title == aliasesTitle })
	}
	for {
		g := t.grid(columns)
		widths := g.widths()
		least := func(i int) int { return columns[i].least }
		last := len(columns) <= 2
		if last { // what is left has to fit
			least = func(int) int { return 1 }
		}
		if squeeze(widths, width, least) || last {
			return g.write(w, widths)
		}
		weakest := slices.MinFunc(columns, func(a, b modelColumn) int { return a.keep - b.keep })
		columns = slices.DeleteFunc(columns, func(c modelColumn) bool { return c.title == weakest.title })
	}
}

func (t *modelTable) grid(columns []modelColumn) *grid {
	g := &grid{}
	for _, c := range columns {
		g.titles = append(g.titles, c.title)
		g.right = append(g.right, c.right)
	}
	for _, row := range t.rows {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = c.show(row)
		}
		g.rows = append(g.rows, cells)
	}
	return g
}
