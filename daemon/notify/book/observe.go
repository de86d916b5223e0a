package book

import (
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// Observe adds the next event after the cursor. hint is what to do about it.
func (b *Book) Observe(e *provider.Event, hint string, s *Settings) {
	b.Cursor = e.Seq
	if e.Hearsay || !s.wants(e.ID) { // a report by a user does not change the state
		return
	}
	b.look(Row{e.ID, e.To, e.Reason, e.Detail, hint}, e.Seq, s, e.Time.Time)
}

// look updates the subject of a provider, or of this machine, from its current row.
func (b *Book) look(row Row, seq uint64, s *Settings, now time.Time) {
	topic := provider.TopicOf(row.State, row.Reason)
	if row.ID == provider.HostID {
		topic = provider.TopicUsable
		if row.Reason == provider.Offline {
			topic = provider.TopicHost
		} else {
			b.Regained = now
		}
	}
	sub := b.Subjects[row.ID]
	if sub == nil {
		sub = b.subject(row.ID)
		sub.Never = !serves(topic) && topic != provider.TopicHost
	}
	after := Ending{row.State, row.Reason, row.Detail, seq}
	switch {
	case topic == "":
	case topic == provider.TopicIncident && !s.on(topic):
		sub.well(row.ID, after, s, now)
	case topic == provider.TopicUsable:
		sub.well(row.ID, after, s, now)
	case topic == provider.TopicIncident && sub.Episode != nil && rank(sub.Episode.Topic) > rank(topic):
		sub.well(row.ID, after, s, now) // it serves again
		sub.trouble(row, topic, seq, s, now)
	default:
		sub.trouble(row, topic, seq, s, now)
	}
}

// serves reports whether a provider with that topic answers requests.
func serves(t provider.Topic) bool { return t == provider.TopicUsable || t == provider.TopicIncident }

// trouble begins an episode, or updates the one in progress.
func (s *Subject) trouble(row Row, topic provider.Topic, seq uint64, set *Settings, now time.Time) {
	if topic == provider.TopicIncident {
		s.Never = false // it serves
	}
	e := s.Episode
	if e == nil {
		if s.Never {
			return
		}
		e = &Episode{Seq: seq, Since: now}
		s.Episode = e
	}
	if e.Times == 0 || !e.Until.IsZero() { // it began, or began again
		e.Times++
		s.changed(now)
		e.Until, e.After = time.Time{}, Ending{}
	}
	e.Topic, e.State, e.Reason, e.Detail, e.Hint = topic, row.State, row.Reason, row.Detail, row.Hint
	if due := now.Add(set.after(e)); e.news(set) && (e.Due.IsZero() || due.Before(e.Due)) {
		e.Due = due
	}
}

// news reports whether the sink wants to be told of the episode as it is now.
func (e *Episode) news(set *Settings) bool {
	return set.on(e.Topic) && rank(e.Topic) > rank(e.ToldAs)
}

// well ends the episode. That of a flapping provider continues until the provider is stable.
func (s *Subject) well(id string, after Ending, set *Settings, now time.Time) {
	s.Never = false
	if s.Episode == nil || !s.Episode.Until.IsZero() {
		return
	}
	s.changed(now)
	s.Episode.end(after, now)
	if !s.flapping(now) {
		s.close(id, set)
	}
}

func (e *Episode) end(after Ending, now time.Time) {
	if e.Until.IsZero() {
		e.Until = later(now, e.Since)
	}
	e.After = after
}

// close moves the episode to those that are over, or drops it if nobody needs to be told.
func (s *Subject) close(id string, set *Settings) {
	e := s.Episode
	s.Episode = nil
	if e.Told != "" || !e.Due.IsZero() && !e.Until.Before(e.Due) && !set.muted(id, e) {
		s.Over = append(s.Over, e)
	}
}

// settle closes the episode of a provider that flapped and is now stable and usable.
func (s *Subject) settle(id string, set *Settings, now time.Time) {
	if s.Episode != nil && !s.Episode.Until.IsZero() && !now.Before(s.calm(now)) {
		s.close(id, set)
	}
}

// changed notes that the provider became usable or unusable.
func (s *Subject) changed(now time.Time) {
	s.Changes = append(s.recent(now), now)
}

func (s *Subject) recent(now time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(s.Changes), func(t time.Time) bool { return now.Sub(t) >= flapWindow || t.After(now) })
}

func (s *Subject) flapping(now time.Time) bool { return len(s.recent(now)) > flapChanges }

// calm is when the provider counts as stable if it does not change again.
func (s *Subject) calm(now time.Time) time.Time {
	changes := s.recent(now)
	if len(changes) == 0 {
		return time.Time{}
	}
	return changes[len(changes)-1].Add(flapWindow)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
