package page

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/units"
	"github.com/providerd/providerd/store/provider"
)

// Actions start, stop and restart the units of providers, one action at a time for each
// provider. A view shows the last one of its provider.
type Actions struct {
	act    func(context.Context, ctl.Action) (*ctl.ActionReport, error)
	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu   sync.Mutex
	last map[string]*action
}

// NewActions returns actions that are carried out by act. Close them at the end.
func NewActions(act func(context.Context, ctl.Action) (*ctl.ActionReport, error)) *Actions {
	a := &Actions{act: act, last: map[string]*action{}}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

// Close stops waiting for what was begun, which systemd continues.
func (a *Actions) Close() {
	a.cancel()
	a.tasks.Wait()
}

// keepAction is how long a view shows an action after its end.
const keepAction = 10 * time.Minute

// An action is a start, stop or restart in progress, or its result.
type action struct {
	Verb    units.Verb
	Unit    string
	Began   time.Time
	Running bool
	Text    string // what it does now, or how it ended
	Hint    string
	Bad     bool
	Notes   []string // what systemctl said
	Title   string   // of the journal's lines
	Lines   []string
	ended   time.Time
}

// begin carries out an action, unless there is one of this provider already.
func (a *Actions) begin(id string, unit units.Unit, verb units.Verb) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if last := a.last[id]; last != nil && last.Running {
		return provider.Errorf(provider.TooMany, "wait until it has ended", "%s of %s is in progress, and there is one action at a time", last.Verb, last.Unit)
	}
	for other, last := range a.last {
		if !last.Running && time.Since(last.ended) > keepAction {
			delete(a.last, other)
		}
	}
	a.last[id] = &action{Verb: verb, Unit: unit.Name, Began: time.Now(), Running: true, Text: "asking systemd"}
	a.tasks.Go(func() {
		report, err := a.act(a.ctx, ctl.Action{ID: id, Verb: verb, Timeout: ctl.ActionTimeout, Step: func(text string) {
			a.change(id, func(now *action) { now.Text = text })
		}})
		a.change(id, func(now *action) { now.end(report, err) })
	})
	return nil
}

// change replaces the action of a provider by a changed copy, because views read the old one.
func (a *Actions) change(id string, change func(*action)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := *a.last[id]
	change(&now)
	a.last[id] = &now
}

func (now *action) end(report *ctl.ActionReport, err error) {
	now.Running, now.ended = false, time.Now()
	now.Text, now.Notes, now.Title, now.Lines = report.Result, report.Warnings, report.JournalTitle(), report.Journal
	if err != nil {
		now.Bad, now.Text, now.Hint = true, messageOf(err), hintOf(err)
	}
}

// of is the last action of a provider; nil if there was none lately.
func (a *Actions) of(id string) *action {
	a.mu.Lock()
	defer a.mu.Unlock()
	last := a.last[id]
	if last == nil || !last.Running && time.Since(last.ended) > keepAction {
		return nil
	}
	return last
}

// Heading is "Start of ollama.service".
func (now *action) Heading() string {
	verb := string(now.Verb)
	return strings.ToUpper(verb[:1]) + verb[1:] + " of " + now.Unit
}

// startAction begins what a form of a provider's view asks for. That view shows how it goes on.
func startAction(verb units.Verb) func(*site, context.Context, string) (*message, error) {
	return func(s *site, ctx context.Context, id string) (*message, error) {
		if s.Actions == nil {
			return nil, provider.Errorf(provider.Denied, "in a terminal: providerctl "+string(verb)+" "+provider.ShellWord(id), "this dashboard starts and stops nothing")
		}
		row, err := s.Client.Provider(ctx, id)
		if err != nil {
			return nil, err
		}
		unit, err := units.Of(row)
		if err != nil {
			return nil, err
		}
		return nil, s.Actions.begin(id, unit, verb)
	}
}

// addAction adds to the view of a provider its last action, and what can be done.
func (s *site) addAction(c *card) {
	if s.Actions == nil {
		return
	}
	if last := s.Actions.of(c.ID); last != nil {
		shown := *last
		shown.Hint = s.spell(shown.Hint)
		c.Action = &shown
	}
	if c.Action != nil && c.Action.Running {
		c.Reload = 2
	}
	if unit, err := units.Of(c.Status); err == nil && !s.ReadOnly {
		c.Unit = unit.Name
	}
}
