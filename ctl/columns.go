package ctl

import (
	"io"
	"slices"
	"strings"
)

// A grid is text in columns, aligned by display width.
type grid struct {
	titles []string
	right  []bool // columns of numbers
	rows   [][]string
	style  func(row, column int, cell string) string // colours; nil for none
	bare   bool                                      // without titles
}

const gap = "  "

// widths is what each column needs.
func (g *grid) widths() []int {
	widths := make([]int, len(g.titles))
	for i, title := range g.titles {
		if !g.bare {
			widths[i] = displayWidth(title)
		}
	}
	for _, row := range g.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], displayWidth(cell))
		}
	}
	return widths
}

// total is the width of a line with columns of these widths.
func total(widths []int) int {
	sum := len(gap) * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}

// write prints the [grid.text].
func (g *grid) write(w io.Writer, widths []int) error {
	_, err := io.WriteString(w, g.text(widths))
	return err
}

// text is titles and rows in columns of the given widths. Wider cells are cut, and lines
// do not end in spaces.
func (g *grid) text(widths []int) string {
	var b strings.Builder
	if !g.bare {
		g.line(&b, -1, g.titles, widths)
	}
	for i, row := range g.rows {
		g.line(&b, i, row, widths)
	}
	return b.String()
}

// drop removes a column that has nothing to show.
func (g *grid) drop(title string) {
	at := slices.Index(g.titles, title)
	if at >= 0 && !slices.ContainsFunc(g.rows, func(row []string) bool { return row[at] != unknown }) {
		g.remove(title)
	}
}

// remove removes columns. The styled one comes before them.
func (g *grid) remove(titles ...string) {
	for _, title := range titles {
		at := slices.Index(g.titles, title)
		if at < 0 {
			continue
		}
		g.titles = slices.Delete(g.titles, at, at+1)
		g.right = slices.Delete(g.right, at, at+1)
		for i, row := range g.rows {
			g.rows[i] = slices.Delete(row, at, at+1)
		}
	}
}

func (g *grid) line(b *strings.Builder, row int, cells []string, widths []int) {
	for i, cell := range cells {
		if i > 0 {
			b.WriteString(gap)
		}
		text := cut(cell, widths[i])
		spaces := strings.Repeat(" ", max(0, widths[i]-displayWidth(text)))
		if g.style != nil && row >= 0 {
			text = g.style(row, i, text)
		}
		switch {
		case g.right[i]:
			b.WriteString(spaces + text)
		case i == len(cells)-1:
			b.WriteString(text)
		default:
			b.WriteString(text + spaces)
		}
	}
	b.WriteByte('\n')
}

// squeeze narrows the widest columns until they fit into width, and reports whether they
// do. No column becomes narrower than its least width (0: its full width).
func squeeze(widths []int, width int, least func(column int) int) bool {
	for width > 0 && total(widths) > width {
		widest := -1
		for i, w := range widths {
			if l := least(i); l > 0 && w > l && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return false
		}
		widths[widest]--
	}
	return true
}

// writePairs prints the [pairsText].
func writePairs(w io.Writer, width int, pairs [][2]string) error {
	_, err := io.WriteString(w, pairsText(width, pairs))
	return err
}

// pairsText has one "name  value" on each line. Values are aligned, and wrapped unless width is
// 0.
func pairsText(width int, pairs [][2]string) string {
	names := 0
	for _, p := range pairs {
		names = max(names, displayWidth(p[0]))
	}
	var b strings.Builder
	for _, p := range pairs {
		label, text := hanging(pad(p[0], names)+gap, p[1], width)
		b.WriteString(label + text)
	}
	return b.String()
}

// hanging returns label and text to be printed one after the other, the text wrapped
// beside the label or, if the screen is too narrow for both, below it.
func hanging(label, text string, width int) (string, string) {
	const narrow = 20 // columns in which text can still be read
	indent, limit := displayWidth(label), 0
	if width > 0 {
		if width-indent < narrow {
			indent = min(2, width-1)
			label = cut(strings.TrimRight(label, " "), width) + "\n" + strings.Repeat(" ", indent)
		}
		limit = width - indent
	}
	lines := wrap(text, limit)
	return label, strings.Join(lines, "\n"+strings.Repeat(" ", indent)) + "\n"
}
