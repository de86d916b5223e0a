// Package ctl is providerctl: the command line through which people and scripts
// ask the daemon. Each command is one file; [Main] runs the one that was named.
//
// What a command writes follows three rules. stdout is data and stderr is talk.
// Every error says, after its first line, what to type next. And nothing that
// came from a provider or the daemon reaches the screen, or whoever reads the output,
// with its control characters intact: Stdout and Stderr escape them.
//
// It imports ctl/client and the vocabulary in store/provider, never the daemon
// or the store itself, and never net/http: a command must start faster than the
// question takes to answer.
package ctl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// exitInterrupted is what a command exits with that ctrl-C cut short, as shells
// report it. A command that only ends by ctrl-C exits 0 instead.
const exitInterrupted = 130

// Env is everything from outside that a command uses.
type Env struct {
	Args    []string // without the program's name
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Getenv  func(string) string
	Version string // of providerctl; empty: as the build recorded it

	// Environ is the whole environment, as os.Environ has it; nil: it is empty.
	Environ func() []string
	// Exec runs a program in the place of this one: its arguments, its name first, and
	// its environment. It returns only if that fails or, where a process cannot be
	// replaced, with the program's exit code once it has ended. Nil: [Exec].
	Exec func(argv, environ []string) (code int, err error)

	// Interruptible returns a context that ends at ctrl-C. It is called by a command
	// that waits or has something to undo; any other leaves ctrl-C to the system, as
	// listening for it would cost more than asking does. Nil means that ctx is enough.
	Interruptible func(ctx context.Context) context.Context

	// KeepsPipes has a write to a pipe that nobody reads fail from now on, instead of
	// ending the process by a signal. Nil means that it fails anyway.
	KeepsPipes func()
}

// Main runs one command and returns the exit code, one of provider.Exit or 130
// for a command that the end of ctx cut short.
func Main(ctx context.Context, env Env) int {
	a := &app{Env: env, ctx: ctx, now: time.Now}
	var once sync.Once // a stream that broke off connects again
	a.client = &client.Client{Getenv: env.Getenv, Passed: func(err error) { once.Do(func() { a.say("note: the socket %v", err) }) }}
	a.term = terminalOf(env)
	a.writeText()
	a.root = a.rootCommand()
	err := a.root.Execute(ctx, env.Args)
	err = errors.Join(err, a.screen.Flush(), a.data.Flush())
	if errors.Is(err, context.Canceled) && a.ctx.Err() != nil {
		return exitInterrupted
	}
	return a.printError(err)
}

// writeText has all that is written pass through a writer of text: whatever a command,
// its help or a completion writes, and whoever that is from.
func (a *app) writeText() {
	a.bytes = a.Stdout
	a.data, a.screen = provider.NewTextWriter(a.bytes), ScreenWriter(a.bytes, a.term.ascii)
	a.Stdout = a.screen
	a.Stderr = provider.NewTextWriter(TalkTo(a.Stderr, a.term.ascii))
}

// paint decides about colours: at first by the environment, then as --color says.
func (a *app) paint(flag *ColorFlag) {
	a.term.color = flag.Wanted(a.Getenv, a.term.shown)
	var styles []string
	if a.term.color {
		styles = Styles()
	}
	a.screen.Style(styles...)
}

// app is what the commands share.
type app struct {
	Env
	ctx    context.Context // of the one command that is run
	client *client.Client
	term   terminal             // of stdout
	screen *provider.TextWriter // stdout, for people
	data   *provider.TextWriter // stdout, for programs: the same in every locale
	bytes  io.Writer            // stdout, for what is no text
	now    func() time.Time
	root   *command.Command // nil until there is one
}

// interruptible is the context of the command. If it waits, or has something to undo,
// ctrl-C ends the context from now on; until then that ends the process. Whoever asks
// again after a wait has to take the context anew: the one of before no longer ends.
func (a *app) interruptible(waits bool) context.Context {
	if waits && a.Interruptible != nil {
		a.ctx = a.Interruptible(a.ctx)
		a.Interruptible = nil // once is enough
	}
	return a.ctx
}

// errNo is the answer no: it exits 1, and everything has been said.
var errNo = errors.New("no")

// printError tells the person what went wrong and returns the exit code.
func (a *app) printError(err error) int {
	var (
		e    *provider.Error
		some *someFailed
		ran  exited
	)
	switch {
	case err == nil:
	case errors.As(err, &ran):
		return int(ran)
	case errors.As(err, &some):
		a.explainAll(some)
	case errors.Is(err, errNo):
	case errors.As(err, &e):
		a.explain(e)
	case errors.Is(err, syscall.EPIPE): // whoever read has seen enough, and nothing else is wrong
		return provider.ExitOK
	default:
		a.say("%v", err)
	}
	return provider.ExitCode(err)
}

// explain says what went wrong and what to type next.
func (a *app) explain(e *provider.Error) {
	a.say("%s", e.Message)
	hint := e.Hint
	if socket := a.asked(); socket != "" && strings.HasSuffix(hint, "start it: providerd") { // and not one for another
		hint += " --socket " + quoted(socket)
	}
	if hint != "" {
		a.say("hint: %s", hint)
	}
}

// asked is the socket that somebody named: by the flag or, without it, by the variable.
func (a *app) asked() string { return cmp.Or(a.client.Socket, a.Getenv("PROVIDERD_SOCKET")) }

// say writes to stderr, one "providerctl: " before each message. Further lines of a
// message, such as a quoted line of a file, begin with a blank.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.Stderr, "providerctl: %s\n", provider.PrintableLines(a.here(fmt.Sprintf(format, args...))))
}

// usage is an error in what was typed.
func usage(hint, format string, args ...any) error {
	return provider.Errorf(provider.Usage, hint, format, args...)
}
