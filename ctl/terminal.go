package ctl

import (
	"os"

	"golang.org/x/term"
)

// terminal is what is known of the screen that stdout is shown on.
type terminal struct {
	shown bool // stdout is a terminal
	ascii bool // text has to do with ASCII, on a terminal or elsewhere
	color bool // colours are wanted, likewise
	moves bool // it can draw over what it has shown
	fd    int
}

func terminalOf(env Env) terminal {
	file, ok := env.Stdout.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return terminal{ascii: ASCIIWanted(env.Getenv, false)}
	}
	return terminal{
		shown: true,
		ascii: ASCIIWanted(env.Getenv, true),
		moves: env.Getenv("TERM") != "dumb",
		fd:    int(file.Fd()),
	}
}

// width is the number of columns, asked anew each time because it changes; 0
// when stdout is no terminal, and text may be as wide as it gets.
func (t terminal) width() int {
	const usual = 80 // what programs assume of a terminal that does not tell
	if !t.shown {
		return 0
	}
	if width, _, err := term.GetSize(t.fd); err == nil && width > 0 {
		return width
	}
	return usual
}

// height is the number of lines; 0 when it is not known.
func (t terminal) height() int {
	if _, height, err := term.GetSize(t.fd); t.shown && err == nil {
		return height
	}
	return 0
}
