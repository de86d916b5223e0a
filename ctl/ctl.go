// Package ctl is providerctl: the command line through which people and scripts
// ask the daemon. Each command is one file; [Main] runs the one that was named.
//
// What a command writes follows three rules. Data goes to stdout and messages to stderr.
// Every error is followed by what to type next. And no text from a provider or the daemon
// reaches a screen, or another program, with its control characters intact: Stdout and
// Stderr escape them.
//
// It imports ctl/client and the vocabulary in store/provider, never the daemon or the
// store itself, and never net/http: a command must start faster than the daemon answers.
package ctl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// exitInterrupted is the exit code of a command that ctrl-C aborted, as shells report it.
// A command that only ends by ctrl-C exits 0 instead.
const exitInterrupted = 130

// Env is everything from outside that a command uses.
type Env struct {
	Args    []string // without the program's name
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Getenv  func(string) string
	Version string // of providerctl; empty: as the build recorded it

	// Environ is the whole environment, as from os.Environ; nil: it is empty.
	Environ func() []string
	// Exec replaces this process by a program, given its arguments, its name first, and
	// its environment. It returns only if that fails or, on systems that cannot replace a
	// process, with the program's exit code once it has ended. Nil: [Exec].
	Exec func(argv, environ []string) (code int, err error)

	// Executable is the path of this program, beside which others are searched for. The default
	// is [os.Executable].
	Executable func() (string, error)

	// Interruptible returns a context that ends at ctrl-C. A command calls it if it waits
	// or has something to undo; any other leaves ctrl-C to the system, because listening
	// for it would cost more than the request. Nil means that ctx is enough.
	Interruptible func(ctx context.Context) context.Context

	// KeepsPipes makes a write to a pipe that nobody reads fail from now on, instead of
	// ending the process by a signal. Nil means that it fails anyway.
	KeepsPipes func()
}

// Main runs one command and returns its exit code, one of provider.Exit, or 130 for a
// command that the end of ctx aborted.
func Main(ctx context.Context, env Env) int {
	return run(ctx, env, func(a *app) error { return a.root.Execute(ctx, env.Args) })
}

// run prepares what commands share, executes one, and returns its exit code.
func run(ctx context.Context, env Env, execute func(*app) error) int {
	a := &app{Env: env, ctx: ctx, now: time.Now}
	var once sync.Once // a stream that broke connects again
	a.client = &client.Client{Getenv: env.Getenv, Passed: func(err error) { once.Do(func() { a.say("note: the socket %v", err) }) }}
	a.term = terminalOf(env)
	a.writeText()
	a.root = a.rootCommand()
	err := execute(a)
	err = errors.Join(err, a.screen.Flush(), a.data.Flush())
	if errors.Is(err, context.Canceled) && a.ctx.Err() != nil {
		return exitInterrupted
	}
	return a.printError(err)
}

// writeText makes all output pass through a writer of text, whether it is of a command,
// its help or a completion, and wherever the text is from.
func (a *app) writeText() {
	a.bytes = a.Stdout
	a.data, a.screen = provider.NewTextWriter(a.bytes), ScreenWriter(a.bytes, a.term.ascii)
	a.Stdout = a.screen
	a.Stderr = provider.NewTextWriter(TalkTo(a.Stderr, a.term.ascii))
}

// paint decides about colours, first by the environment, then by --color.
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
	data   *provider.TextWriter // stdout, for programs: the same in any locale
	bytes  io.Writer            // stdout, for what is not text
	now    func() time.Time
	root   *command.Command // nil until there is one

	saidNoFleet atomic.Bool // see theFleet
}

// interruptible is the context of the command. If it waits, or has something to undo,
// ctrl-C ends the context from now on; until then it ends the process. After a wait, call
// it again: the earlier context no longer ends.
func (a *app) interruptible(waits bool) context.Context {
	if waits && a.Interruptible != nil {
		a.ctx = a.Interruptible(a.ctx)
		a.Interruptible = nil // once is enough
	}
	return a.ctx
}

// patient is [app.interruptible] for a part of a command that has a context of its own. That
// one is kept once ctrl-C ends the command's.
func (a *app) patient(ctx context.Context) context.Context {
	if a.Interruptible == nil {
		return ctx
	}
	return a.interruptible(true)
}

// errNo is the answer no. It exits 1, and prints nothing more.
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
	case errors.Is(err, syscall.EPIPE): // the reader has seen enough, and nothing else is wrong
		return provider.ExitOK
	default:
		a.say("%v", err)
	}
	return provider.ExitCode(err)
}

// explain says what went wrong and what to type next.
func (a *app) explain(e *provider.Error) {
	a.say("%s", e.Message)
	if e.Hint != "" {
		a.say("hint: %s", e.Hint)
	}
}

// asked is the socket that the user named: by the flag or, without it, by the variable.
func (a *app) asked() string { return cmp.Or(a.client.Socket, a.Getenv("PROVIDERD_SOCKET")) }

// say writes a message to stderr, after "providerctl: ". Further lines of the message,
// such as a quoted line of a file, begin with a blank.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.Stderr, "providerctl: %s\n", provider.PrintableLines(a.here(fmt.Sprintf(format, args...))))
}

// usage is an error in what was typed.
func usage(hint, format string, args ...any) error {
	return provider.Errorf(provider.Usage, hint, format, args...)
}
