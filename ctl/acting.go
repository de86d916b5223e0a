package ctl

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/units"
	"github.com/providerd/providerd/store/provider"
)

// An Action is one start, stop or restart of a provider's unit.
type Action struct {
	ID      string
	Verb    units.Verb
	Timeout time.Duration // how long it may take in all
	// Terminal is where systemd may ask for a password; nil: nowhere.
	Terminal *os.File
	// Step, if it is not nil, is called with what is done now, and with what is in the way.
	Step func(text string)
}

// ActionTimeout is how long an action may usually take.
const ActionTimeout = 60 * time.Second

// An ActionReport is what there is to tell of an action, whether it failed or not. Its texts
// are from other programs.
type ActionReport struct {
	Unit     string
	Result   string   // "ollama is RUNNING", if it did not fail
	Warnings []string // of systemctl
	Journal  []string // the last lines of a unit that failed
	Hidden   bool     // this user may not read the journal
}

// JournalTitle is what to say above the lines of the journal, empty if nothing.
func (r *ActionReport) JournalTitle() string {
	switch {
	case r.Hidden:
		return "this user may not read the journal of " + r.Unit
	case len(r.Journal) > 0:
		return "the journal of " + r.Unit + ":"
	}
	return ""
}

// Act asks systemd, as the user who runs this program, to start, stop or restart the unit of a
// provider, and waits for the effect.
func (s *Session) Act(ctx context.Context, what Action) (*ActionReport, error) {
	return s.app.act(ctx, what)
}

func (a *app) act(ctx context.Context, what Action) (*ActionReport, error) {
	if what.Step == nil {
		what.Step = func(string) {}
	}
	act := acting{Action: what, app: a}
	err := act.run(ctx)
	return &act.report, err
}

// An acting is an action in progress.
type acting struct {
	Action
	app    *app
	report ActionReport

	row   provider.Status
	unit  units.Unit
	since time.Time // when systemd was asked
}

func (act *acting) run(ctx context.Context) error {
	row, err := act.app.client.Provider(ctx, act.ID)
	if err != nil {
		return err
	}
	act.row = *row
	if act.unit, err = units.Of(row); err != nil {
		return err
	}
	act.report.Unit = act.unit.Name
	if _, err = units.Check(ctx, act.Verb, act.unit); err != nil {
		return err
	}
	if err = act.note(ctx, provider.ActionBegins); err != nil {
		return err
	}
	act.Step("asking systemd: " + act.unit.Line(string(act.Verb)))
	act.since = act.app.now()
	limited, cancel := context.WithTimeout(ctx, act.Timeout)
	defer cancel()
	warnings, err := units.Do(limited, act.Verb, act.unit, act.Terminal)
	if err != nil {
		return act.undone(ctx, err)
	}
	for line := range strings.Lines(warnings) {
		act.report.Warnings = append(act.report.Warnings, strings.TrimSpace(line))
	}
	if err = act.note(ctx, provider.ActionDone); err != nil && !mayReturn(err) {
		return err
	}
	return act.await(ctx)
}

// note tells the daemon what is done. An older daemon has no such route.
func (act *acting) note(ctx context.Context, phase string) error {
	_, err := act.app.client.Act(ctx, act.row.ID, provider.ActionNote{Action: string(act.Verb), Phase: phase})
	var e *provider.Error
	if errors.As(err, &e) && e.Code == provider.UnknownRoute {
		return nil
	}
	return err
}

// undone ends an action that systemd has not done, or not yet. It goes on with what it has begun,
// even if nobody waits for it.
func (act *acting) undone(ctx context.Context, err error) error {
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	s, wrong := units.Look(after, act.unit)
	if wrong != nil || !s.Changes() {
		_ = act.note(after, provider.ActionFailed) // the error of systemd says more
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		act.readJournal(ctx, s)
		return provider.Errorf(provider.TimedOut, "give it longer: "+act.longer()+"; or see: "+act.unit.Line("status"),
			"systemd could not %s %s within %v: it is %s", act.Verb, act.unit.Name, act.Timeout, s)
	}
	return act.explain(ctx, err)
}

// explain adds to systemd's refusal how the unit stands, if it failed, and what it said.
func (act *acting) explain(ctx context.Context, err error) error {
	var e *provider.Error
	if errors.As(err, &e) && e.Code == provider.Denied {
		if act.Terminal == nil && e.Hint != "" {
			e.Hint += "; or on a terminal, where polkit can ask for a password: " + act.line()
		}
		return err
	}
	s, wrong := units.Look(ctx, act.unit)
	tried := wrong == nil && s.Failed() && s.Active != "inactive"
	if act.Verb != units.Stop && tried {
		return act.failed(ctx, s)
	}
	return err
}

// line is the command that does the same.
func (act *acting) line() string {
	return "providerctl " + string(act.Verb) + " " + provider.ShellWord(act.row.ID)
}

// longer is the same with twice the time.
func (act *acting) longer() string { return act.line() + " --timeout " + span(2*act.Timeout) }

// failed is the error about a unit that failed. Its journal is in the report.
func (act *acting) failed(ctx context.Context, s units.Standing) error {
	journal := act.readJournal(ctx, s)
	return provider.Errorf("", "see: "+journal.Line, "%s did not %s: it is %s", act.unit.Name, act.Verb, s)
}

// readJournal adds to the report what the unit said since systemd was asked.
func (act *acting) readJournal(ctx context.Context, s units.Standing) units.Journal {
	journal := units.Read(ctx, act.unit, s, act.since)
	act.report.Journal, act.report.Hidden = journal.Lines, journal.Hidden
	return journal
}

// await waits for the effect, at the provider unless it is paused, and reports it.
func (act *acting) await(ctx context.Context) error {
	id := act.row.ID
	if act.row.Paused {
		act.report.Result = act.unit.Name + " was asked to " + string(act.Verb) + "; " + id + " is paused, so it keeps its last state until: providerctl resume " + id
		return nil
	}
	w := waiting{app: act.app, timeout: act.Timeout, began: act.since, say: act.Step, targets: []provider.State{provider.StateRunning, provider.StateDegraded}}
	if act.Verb == units.Stop {
		w.targets = []provider.State{provider.StateStopped, provider.StateError, provider.StateUnknown}
		act.Step("waiting until " + id + " is down")
	} else {
		act.Step("waiting until " + id + " is usable")
	}
	// A row of the refresh is from a probe that began after systemd was asked.
	fresh := client.RefreshQuery{IDs: []string{id}, Wait: max(0, min(probeWait, act.Timeout-act.app.now().Sub(act.since)))}
	if _, err := act.app.client.Refresh(ctx, fresh); err != nil && !mayReturn(err) {
		return err
	}
	watched, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		act.watch(watched, cancel)
	}()
	rows, err := w.waitFor(watched, []string{id})
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
	act.report.Result = id + " is " + describe(rows[0])
	return nil
}

// A unitEnded is why a wait for a started server has no sense any more.
type unitEnded struct{ standing units.Standing }

func (u *unitEnded) Error() string { return "the unit is " + u.standing.String() }

// watch ends the wait if the unit that was started fails.
func (act *acting) watch(ctx context.Context, end context.CancelCauseFunc) {
	if act.Verb == units.Stop {
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
	case act.Verb == units.Stop && !s.Runs() && strings.HasSuffix(act.unit.Name, ".socket"):
		told.Hint = "the service that " + act.unit.Name + " has started may still run: write its name as unit, or stop it: " + "systemctl stop " + provider.ShellWord(strings.TrimSuffix(act.unit.Name, ".socket")+".service")
	case act.Verb == units.Stop && !s.Runs():
		told.Hint = "another program serves " + cmp.Or(act.row.Endpoint, act.row.ID) + ": providerctl diagnose " + provider.ShellWord(act.row.ID)
	case act.Verb != units.Stop && s.Runs():
		act.readJournal(ctx, s)
		told.Hint = "give it longer: " + act.longer() + "; or check that it listens at " + cmp.Or(act.row.Endpoint, "the address of "+act.row.ID) + ", and that unit is right"
	}
	return &told
}
