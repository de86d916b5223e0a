package ctl

import (
	"io"
	"strings"

	"github.com/providerd/providerd/ctl/doctor"
	"github.com/providerd/providerd/store/provider"
)

// checkupWidth is how wide a checkup is where there is no screen: it is read by people,
// and mailed and pasted.
const checkupWidth = 80

// levelColors are those of the marks; one that is to be passed over has none.
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

// detail wraps a line. One that is in columns, as a line of a file and the marker below it
// are, is cut.
func detail(line string, width int) []string {
	if strings.HasPrefix(line, " ") || strings.Contains(line, " | ") {
		return []string{cut(line, width)}
	}
	return wrap(line, width)
}
