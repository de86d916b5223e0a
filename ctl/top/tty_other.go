//go:build !unix

package top

import (
	"errors"
	"os"

	"github.com/gdamore/tcell/v3"
	"golang.org/x/term"
)

// errNoTerminal means that stdin or stdout is not a terminal.
var errNoTerminal = errors.New("this is not a terminal")

// newTTY lets tcell use the console.
func newTTY(in, out *os.File) (tcell.Tty, error) {
	if !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return nil, errNoTerminal
	}
	return nil, nil
}
