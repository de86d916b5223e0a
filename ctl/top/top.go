// Package top is providerctl-top: the status on the full screen, live, with keys that act
// on providers. It is a program of its own so that providerctl need not link a library for
// terminals.
//
// It has three parts. The model is pure: it takes keys, replies and the time, one after the
// other, and returns what has to be done; its frame is what the screen shows. The follower
// keeps the model's rows current: it reads the status, follows the events, and outlives the
// daemon. The program owns the screen, feeds the model, and carries out what it returns.
//
// The layout of rows is [ctl.Board], which providerctl status --watch uses too.
package top

import (
	"context"
	"os"
	"time"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/color"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/client"
)

// Options are the inputs of a run.
type Options struct {
	Client *client.Client
	Color  bool                     // colours are wanted
	ASCII  bool                     // use only ASCII
	Spell  func(hint string) string // adapts commands in hints to their reader; nil keeps them as they are

	// Act starts, stops or restarts the unit of a provider.
	Act func(context.Context, ctl.Action) (*ctl.ActionReport, error)

	// Screen is the terminal, not yet initialized.
	Screen tcell.Screen
}

// Run shows the status until q or ctrl-C is pressed, ctx ends, or the terminal is gone,
// none of which is an error. Whatever ends it, the terminal is left as it was. It fails if
// there is no daemon when it starts; later it waits for the next one.
func Run(ctx context.Context, opts Options) error {
	p := &program{Options: opts, messages: make(chan any, 64), model: newModel(time.Now, opts)}
	return p.run(ctx)
}

// NewScreen returns the terminal of stdin and stdout. It does not query the terminal, because
// answers could be taken for keys, or come late over SSH.
func NewScreen(colored bool) (tcell.Screen, error) {
	tty, err := newTTY(os.Stdin, os.Stdout)
	if err != nil {
		return nil, err
	}
	return ScreenOn(tty, colored)
}

// ScreenOn returns the screen of any terminal.
func ScreenOn(tty tcell.Tty, colored bool) (tcell.Screen, error) {
	palette := 0
	if colored {
		palette = 16 // the terminal's own colours, which suit its background
	}
	return tcell.NewTerminfoScreenFromTty(tty, tcell.OptColors(palette),
		tcell.OptNegotiation(false), tcell.OptKeyboardProtocol(tcell.LegacyKeyboard))
}

// styles are the tones on a screen with or without colours.
func styles(colored bool) map[ctl.Tone]tcell.Style {
	plain := tcell.StyleDefault
	all := map[ctl.Tone]tcell.Style{
		ctl.Plain: plain, ctl.Dim: plain.Dim(true), ctl.Bold: plain.Bold(true),
		ctl.Green: plain, ctl.Cyan: plain, ctl.Yellow: plain, ctl.Red: plain.Bold(true),
	}
	if colored {
		all[ctl.Green] = plain.Foreground(color.Green)
		all[ctl.Cyan] = plain.Foreground(color.Teal)
		all[ctl.Yellow] = plain.Foreground(color.Olive)
		all[ctl.Red] = plain.Foreground(color.Maroon)
	}
	return all
}
