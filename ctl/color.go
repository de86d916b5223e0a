package ctl

import (
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl/command"
)

// ColorFlag is the value of --color: when text is coloured.
type ColorFlag struct {
	value string
	set   func() // called once it is set; can be nil
}

const (
	colorAuto   = "auto"
	colorAlways = "always"
	colorNever  = "never"
)

var colorValues = []string{colorAuto, colorAlways, colorNever}

// AddColorFlag gives a program --color.
func AddColorFlag(flags *command.FlagSet, set func()) *ColorFlag {
	f := &ColorFlag{value: colorAuto, set: set}
	flags.Var(f, "color", "colour the text; auto: on a terminal, or as NO_COLOR, FORCE_COLOR and TERM say").
		Complete = command.Offer(colorValues, command.NoFiles)
	return f
}

func (f *ColorFlag) String() string { return f.value }

// Type is the list of values.
func (f *ColorFlag) Type() string { return strings.Join(colorValues, "|") }

// Set accepts one of them.
func (f *ColorFlag) Set(text string) error {
	if !slices.Contains(colorValues, text) {
		return usage("", "use one of: %s", strings.Join(colorValues, ", "))
	}
	f.value = text
	if f.set != nil {
		f.set()
	}
	return nil
}

// Wanted reports whether text is to be coloured; shown is whether the output is a
// terminal. The flag decides; else NO_COLOR, if it is not empty; else FORCE_COLOR, of
// which 0 and false mean no; else TERM. See https://no-color.org and
// https://force-color.org.
func (f *ColorFlag) Wanted(getenv func(string) string, shown bool) bool {
	force := getenv("FORCE_COLOR")
	switch {
	case f.value != colorAuto:
		return f.value == colorAlways
	case getenv("NO_COLOR") != "":
		return false
	case force != "":
		return force != "0" && !strings.EqualFold(force, "false")
	}
	return shown && getenv("TERM") != "dumb"
}
