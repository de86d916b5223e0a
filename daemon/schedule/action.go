package schedule

import (
	"time"

	"github.com/providerd/providerd/store/provider"
)

// An action is what a user said that they ask systemd to do with the unit of a provider. It
// explains the events that follow soon.
type action struct {
	provider.Action
	admin bool // an administrator said so
	until time.Time
}

const (
	// actionTime is how long systemd may take. Its own limit for a start or a stop is 90 s,
	// and a restart is both.
	actionTime = 3 * time.Minute
	// startTime is how long a server that systemd has started may take until it is usable,
	// and stopTime how long until a stop shows.
	startTime = 2 * time.Minute
	stopTime  = 10 * time.Second
)

// Act notes what a user asks systemd to do with a provider's unit; by says who that is. After
// the end of the action, the provider is probed. The daemon believes nothing but that the user
// said so: the row says what probes find. Only an administrator replaces what an administrator
// has begun. Act does not wait.
func (s *Scheduler) Act(id string, note provider.ActionNote, by string, admin bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	switch {
	case e == nil:
		return unknown(id)
	case e.cfg.Unit == "":
		return provider.Errorf(provider.BadRequest, `add unit = "NAME.service" to its [[provider]], then: providerctl reload`, "no unit is configured for %s", id)
	}
	now := time.Now()
	s.forgetActions(now)
	last, lasts := s.actions[id]
	if lasts && last.By != by && last.admin && !admin {
		return nil
	}
	a := action{provider.Action{Name: note.Action, By: by}, admin, now.Add(actionTime)}
	switch note.Phase {
	case provider.ActionFailed:
		delete(s.actions, id)
		return nil
	case provider.ActionDone:
		a.until = now.Add(startTime)
		if note.Action == provider.ActionStop {
			a.until = now.Add(stopTime)
		}
	}
	if s.actions == nil {
		s.actions = make(map[string]action)
	}
	s.actions[id] = a
	return nil
}

func (s *Scheduler) forgetActions(now time.Time) {
	for id, a := range s.actions {
		if !now.Before(a.until) {
			delete(s.actions, id)
		}
	}
}

// attribute adds to an event the action that can have caused it.
func (s *Scheduler) attribute(event *provider.Event, now time.Time) {
	if event == nil || event.Hearsay {
		return
	}
	if a, ok := s.actions[event.ID]; ok && now.Before(a.until) && a.Explains(event) {
		event.Action = &a.Action
	}
}
