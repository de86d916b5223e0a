package ctl

import (
	"io"
	"strings"

	"github.com/providerd/providerd/ctl/doctor"
	"github.com/providerd/providerd/store/provider"
)

// checkupWidth is the width of a checkup without a screen: people read, mail and paste it.
const checkupWidth = 80

// levelColors are those of the marks; a mark that needs no attention has none.
var levelColors = [...]struct {
	level doctor.Level
	color string
}{{doctor.OK, green}, {doctor.Warn, yellow}, {doctor.Fail, red}, {doctor.Skip, dim}}

// writeCheckupText writes a line for each finding and, below, what is quoted and what to do.
func (a *app) writeCheckupText(c *checkup) error {
	width := a.term.width()
	if width == 0 {
		width = checkupWidth
	}
	subjects := 0
	for _, f := range c.Checks {
		subjects = max(subjects, min(displayWidth(provider.Printable(f.Title())), 16))
	}
	var b strings.Builder
	for _, f := range c.Checks {
		b.WriteString(a.findingText(f, subjects, width))
	}
	b.WriteString("\n" + c.sum() + "\n")
	_, err := io.WriteString(a.Stdout, b.String())
	return err
}

// sum is the last line.
func (c *checkup) sum() string {
	if c.Problems+c.Warnings == 0 {
		return "nothing is wrong"
	}
	return plural(c.Problems, "problem") + ", " + plural(c.Warnings, "warning")
}

func (a *app) findingText(f doctor.Finding, subjects, width int) string {
	mark := pad(string(f.Level), len(doctor.Warn))
	label, text := hanging(mark+gap+pad(cut(provider.Printable(f.Title()), subjects), subjects)+gap, provider.Printable(f.Summary), width)
	if a.term.color {
		for _, l := range levelColors {
			if l.level == f.Level {
				label = l.color + mark + colorOff + strings.TrimPrefix(label, mark)
			}
		}
	}
	var b strings.Builder
	b.WriteString(label + text)
	indent := strings.Repeat(" ", len(mark)+len(gap))
	for _, line := range f.Details {
		for _, line := range detail(provider.Printable(line), width-len(indent)-2) {
			b.WriteString(indent + "| " + line + "\n")
		}
	}
	for _, line := range f.Fix {
		label, text := hanging(indent+"-> ", provider.Printable(line), width)
		b.WriteString(label + text)
	}
	return b.String()
}

// detail wraps a line. A line in columns, such as a line of a file or the marker below
// it, is cut instead.
func detail(line string, width int) []string {
	if strings.HasPrefix(line, " ") || strings.Contains(line, " | ") {
		return []string{cut(line, width)}
	}
	return wrap(line, width)
}
