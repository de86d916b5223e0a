package ctl

import (
	"os"

	"golang.org/x/term"
)

// terminal is what is known of the screen that stdout is shown on.
type terminal struct {
	shown bool // stdout is a terminal
	ascii bool // text has to be ASCII, on a terminal or elsewhere
	color bool // colours are wanted, likewise
	moves bool // it can overwrite what it shows
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

// width is the number of columns, which is read each time because it changes. It is 0 if
// stdout is not a terminal, and text can be as wide as it gets.
func (t terminal) width() int {
	const usual = 80 // what programs assume if a terminal does not report it
	if !t.shown {
		return 0
	}
	if width, _, err := term.GetSize(t.fd); err == nil && width > 0 {
		return width
	}
	return usual
}

// height is the number of lines; 0 if it is not known.
func (t terminal) height() int {
	if _, height, err := term.GetSize(t.fd); t.shown && err == nil {
		return height
	}
	return 0
}
