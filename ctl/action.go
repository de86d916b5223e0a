package ctl

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/ctl/units"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) startCommand() *command.Command {
	return a.actionCommand(units.Start, "Start a local server that systemd runs, and wait until it is usable",
		`and wait until the provider
is usable. If the unit fails, or keeps failing, it says so at once with the last lines
of its journal, as far as you may read them. It exits 6 if the provider is not usable
in time.`)
}

func (a *app) stopCommand() *command.Command {
	return a.actionCommand(units.Stop, "Stop a local server that systemd runs, and wait until it is down",
		`and wait until the provider
is down. It exits 6 if something still answers when the time is up.`)
}

func (a *app) restartCommand() *command.Command {
	return a.actionCommand(units.Restart, "Restart a local server that systemd runs, and wait until it is usable",
		`and wait until the provider
is usable again. It ends and reports as start does.`)
}

func (a *app) actionCommand(verb units.Verb, short, long string) *command.Command {
	act := acting{app: a, verb: verb}
	var noPassword bool
	cmd := &command.Command{
		Use:   string(verb) + " ID",
		Short: short,
		Long: "Ask systemd, as the user who you are, to " + string(verb) + " the unit of a provider, " + long + `

The provider needs a unit in the configuration: unit = "ollama.service", and bus =
"user" for a unit of your own. A provider of kind systemd has one. The daemon itself
starts and stops nothing. Systemd decides whether you may, and polkit can ask for a
password on a terminal. What you do is in the events, with your uid.`,
		Example:  "  providerctl " + string(verb) + " ollama\n  providerctl " + string(verb) + " ollama --timeout 5m",
		Args:     actionArgs,
		Complete: a.completeIDs(1),
	}
	flags := cmd.Flags()
	flags.DurationVar(&act.timeout, "timeout", 60*time.Second, "how long to wait for the provider")
	flags.BoolVar(&noPassword, "no-ask-password", false, "never ask for a password")
	cmd.Run = func(_ *command.Command, words []string) error {
		if act.timeout <= 0 {
			return usage("give a duration such as 60s", "%s: --timeout must be positive", verb)
		}
		if in, ok := a.Stdin.(*os.File); ok && !noPassword && term.IsTerminal(int(in.Fd())) {
			act.terminal = in
		}
		return act.run(a.interruptible(true), words[0])
	}
	return cmd
}

// actionArgs requires an ID. Without one, the daemon itself may be meant.
func actionArgs(cmd *command.Command, words []string) error {
	if len(words) == 0 {
		return usage("usage: "+cmd.UseLine()+"; or for the daemon itself: providerd service "+cmd.Name(), "%s: an argument is missing", cmd.Name())
	}
	return args(1, 1)(cmd, words)
}

// An acting is one start, stop or restart.
type acting struct {
	app      *app
	verb     units.Verb
	timeout  time.Duration
	terminal *os.File // where systemd may ask for a password; nil: nowhere

	row   provider.Status
	unit  units.Unit
	since time.Time // when systemd was asked
}

func (act *acting) run(ctx context.Context, id string) error {
	row, err := act.app.client.Provider(ctx, id)
	if err != nil {
		return err
	}
	act.row = *row
	if act.unit, err = units.Of(row); err != nil {
		return err
	}
	if _, err = units.Check(ctx, act.verb, act.unit); err != nil {
		return err
	}
	if err = act.note(ctx, provider.ActionBegins); err != nil {
		return err
	}
	act.since = act.app.now()
	warnings, err := units.Do(ctx, act.verb, act.unit, act.terminal)
	if err != nil {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = act.note(after, provider.ActionFailed) // the error of systemd says more
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return act.explain(ctx, err)
	}
	for line := range strings.Lines(warnings) {
		act.app.say("systemctl: %s", strings.TrimSpace(line))
	}
	if err = act.note(ctx, provider.ActionDone); err != nil {
		return err
	}
	return act.await(ctx)
}

// note tells the daemon what is done. An older daemon has no such route.
func (act *acting) note(ctx context.Context, phase string) error {
	_, err := act.app.client.Act(ctx, act.row.ID, provider.ActionNote{Action: string(act.verb), Phase: phase})
	var e *provider.Error
	if errors.As(err, &e) && e.Code == provider.UnknownRoute {
		return nil
	}
	return err
}

// explain adds to systemd's refusal how the unit stands, if it failed, and what it said.
func (act *acting) explain(ctx context.Context, err error) error {
	var e *provider.Error
	if errors.As(err, &e) && e.Code == provider.Denied {
		return err
	}
	if s, wrong := units.Look(ctx, act.unit); wrong == nil && act.verb != units.Stop && s.Failed() {
		return act.failed(ctx, s)
	}
	return err
}

// failed is the error about a unit that failed. It shows the journal first.
func (act *acting) failed(ctx context.Context, s units.Standing) error {
	journal := act.sayJournal(ctx)
	return provider.Errorf("", "see: "+journal.Line, "%s did not %s: it is %s", act.unit.Name, act.verb, s)
}

// sayJournal shows what the unit said since systemd was asked.
func (act *acting) sayJournal(ctx context.Context) units.Journal {
	journal := units.Read(ctx, act.unit, act.since)
	switch {
	case journal.Hidden:
		act.app.say("this user may not read the journal of %s", act.unit.Name)
	case len(journal.Lines) > 0:
		act.app.say("the journal of %s:", act.unit.Name)
		for _, line := range journal.Lines {
			act.app.say("  %s", provider.Printable(line))
		}
	}
	return journal
}

// await waits for the effect, at the provider unless it is paused, and reports it.
func (act *acting) await(ctx context.Context) error {
	if act.row.Paused {
		return act.app.print(act.unit.Name + " was asked to " + string(act.verb) + "; " + act.row.ID + " is paused, so it keeps its last state until: providerctl resume " + act.row.ID)
	}
	// A row of the refresh is from a probe that began after systemd was asked.
	fresh := client.RefreshQuery{IDs: []string{act.row.ID}, Wait: min(probeWait, act.timeout)}
	if _, err := act.app.client.Refresh(ctx, fresh); err != nil && !mayReturn(err) {
		return err
	}
	w := waiting{app: act.app, timeout: act.timeout, targets: []provider.State{provider.StateRunning, provider.StateDegraded}}
	if act.verb == units.Stop {
		w.targets = []provider.State{provider.StateStopped, provider.StateError, provider.StateUnknown}
	}
	watched, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		act.watch(watched, cancel)
	}()
	rows, err := w.waitFor(watched, []string{act.row.ID})
	cause := context.Cause(watched)
	cancel(nil)
	<-watching
	var ended *unitEnded
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(cause, &ended):
		return act.failed(ctx, ended.standing)
	case err != nil:
		return act.late(ctx, err)
	}
	for _, s := range rows {
		err = errors.Join(err, act.app.print(s.ID+" is "+describe(s)))
	}
	return err
}

// A unitEnded is why a wait for a started server has no sense any more.
type unitEnded struct{ standing units.Standing }

func (u *unitEnded) Error() string { return "the unit is " + u.standing.String() }

// watch ends the wait if the unit that was started fails.
func (act *acting) watch(ctx context.Context, end context.CancelCauseFunc) {
	if act.verb == units.Stop {
		return
	}
	for pause(ctx, lookPace*2) {
		if s, err := units.Look(ctx, act.unit); err == nil && s.Failed() {
			end(&unitEnded{s})
			return
		}
	}
}

// late adds to the end of a wait what systemd says about the unit. One that runs although its
// provider is down listens elsewhere; one that is down although its provider is up is not what
// serves it.
func (act *acting) late(ctx context.Context, err error) error {
	var e *provider.Error
	s, wrong := units.Look(ctx, act.unit)
	if !errors.As(err, &e) || wrong != nil {
		return err
	}
	told := *e
	told.Message += "; " + act.unit.Name + " is " + s.String()
	switch {
	case e.Code != provider.TimedOut:
	case act.verb == units.Stop && !s.Runs():
		told.Hint = "another program serves " + cmp.Or(act.row.Endpoint, act.row.ID) + ": providerctl diagnose " + provider.ShellWord(act.row.ID)
	case act.verb != units.Stop && s.Runs():
		act.sayJournal(ctx)
		told.Hint = "give it longer with --timeout; or check that it listens at " + cmp.Or(act.row.Endpoint, "the address of "+act.row.ID) + ", and that unit is right"
	}
	return &told
}
