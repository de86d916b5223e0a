package ctl

import (
	"context"
	"errors"
	"io"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// MainBeside runs a program beside providerctl, providerctl-NAME, and returns its exit
// code, as [Main] does. Build makes the program's one command, whose name is NAME. The
// command line is that of "providerctl NAME": it has providerctl's global flags, its help,
// its completion and its errors.
func MainBeside(ctx context.Context, env Env, build func(*Session) *command.Command) int {
	return run(ctx, env, func(a *app) error {
		cmd := build(&Session{a})
		if cmd.Short == "" {
			cmd.Short = programOfOurs(cmd.Name()).short
		}
		if cmd.Version == nil {
			cmd.Version = func() string { return a.versionOf(besidePrefix + cmd.Name()) }
		}
		a.root.AddCommand(cmd)
		return cmd.ExecuteAlone(ctx, env.Args)
	})
}

// A Session is what a program beside providerctl shares with it. Its methods can be called once
// the flags are read: in the command's Run and Complete.
type Session struct{ app *app }

// Client is a client of the daemon at --socket, or where providerctl would find it.
func (s *Session) Client() *client.Client { return s.app.client }

// Socket is the socket that the user named, by --socket or PROVIDERD_SOCKET; it is empty
// if the daemon is searched for.
func (s *Session) Socket() string { return s.app.asked() }

// Getenv reads a variable of the environment.
func (s *Session) Getenv(name string) string { return s.app.Getenv(name) }

// Terminal is what is known about the screen that stdout is shown on.
func (s *Session) Terminal() Terminal {
	t := s.app.term
	return Terminal{Shown: t.shown, ASCII: t.ascii, Color: t.color, Moves: t.moves, terminal: t}
}

// A Terminal is the screen that stdout is shown on.
type Terminal struct {
	Shown bool // stdout is a terminal
	ASCII bool // text has to be ASCII, even if stdout is not a terminal
	Color bool // colours are wanted, by --color or the environment
	Moves bool // it can move its cursor

	terminal terminal
}

// Width is the number of columns now; 0 if stdout is not a terminal.
func (t Terminal) Width() int { return t.terminal.width() }

// Height is the number of lines now; 0 if it is not known.
func (t Terminal) Height() int { return t.terminal.height() }

// Stdout is the writer of text for people. It escapes control characters, and writes ASCII
// where the locale needs it.
func (s *Session) Stdout() io.Writer { return s.app.Stdout }

// Data is the writer of text for programs. It escapes control characters, and is the same
// in any locale.
func (s *Session) Data() io.Writer { return s.app.data }

// Flush writes what [Session.Stdout] and [Session.Data] hold back. The end of the program does
// so too.
func (s *Session) Flush() error { return errors.Join(s.app.screen.Flush(), s.app.data.Flush()) }

// Say writes a message for people to stderr.
func (s *Session) Say(format string, args ...any) { s.app.say(format, args...) }

// Interruptible is the context of the command. From now on, ctrl-C ends it.
func (s *Session) Interruptible() context.Context { return s.app.interruptible(true) }

// Following is the context of a command that runs until ctrl-C, or until the reader of its
// output is gone. Stop releases its resources.
func (s *Session) Following() (ctx context.Context, stop func()) { return s.app.following() }

// Explain is the message and the hint for an error, as providerctl prints them. The hint
// is empty if there is none.
func (s *Session) Explain(err error) (message, hint string) {
	if e := (*provider.Error)(nil); errors.As(err, &e) {
		return provider.PrintableLines(s.app.here(e.Message)), provider.PrintableLines(s.app.here(e.Hint))
	}
	return provider.PrintableLines(s.app.here(err.Error())), ""
}

// Spell adapts the commands in a text for people to the socket that was named, so that they
// work as they are.
func (s *Session) Spell(text string) string { return provider.PrintableLines(s.app.here(text)) }

// CompleteIDs offers the IDs of the daemon's providers, at most most on one command line; −1
// means any number.
func (s *Session) CompleteIDs(most int) command.CompletionFunc { return s.app.completeIDs(most) }

// Args checks that there are between least and most arguments, none of them empty. A most of −1
// means any number.
func Args(least, most int) func(*command.Command, []string) error { return args(least, most) }

// UsageError is an error in what was typed, which exits with 2. The hint is what to type
// instead.
func UsageError(hint, format string, args ...any) error { return usage(hint, format, args...) }

// ErrNo is the answer no: the program exits with 1, and prints nothing more.
var ErrNo = errNo
