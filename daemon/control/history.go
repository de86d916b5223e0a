package control

import (
	"net/http"
	"slices"
	"time"

	"github.com/providerd/providerd/daemon/outage"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// history answers GET /api/providers/{id}/history.
func (s *Server) history(c *call) *provider.Error {
	row, wrong := s.look(c)
	if wrong != nil {
		return wrong
	}
	if wrong := c.query.beginsOnce(); wrong != nil {
		return wrong
	}
	watch := s.providers.Watch()
	begin, err := s.beginning(&c.query, watch)
	if err != nil {
		return asError(err)
	}
	if c.query.isBucketed() {
		return s.bucketed(c, begin, watch)
	}
	past, err := s.store.EventsOf(c.id)
	if err != nil {
		return asError(err)
	}
	s.writeJSON(c, http.StatusOK, summarise(&row.Status, past, s.changesAround(c.id, past), watch, begin, time.Now()))
	return nil
}

// changesAround returns the recorded changes of a provider since the first outage of this
// machine among its events, which do not say when it was first probed again. There are none
// if the disk cannot be read.
func (s *Server) changesAround(id string, past store.Past) []rollup.Change {
	first := slices.IndexFunc(past.Events, func(e provider.Event) bool { return e.ID == provider.HostID })
	if first < 0 {
		return nil
	}
	rec, err := s.store.Changes(id, past.Events[first].Time.Time)
	if err != nil {
		return nil
	}
	return rec.Changes
}

// A beginning is where a history starts; zero: as far back as it is known.
type beginning struct {
	after uint64 // event
	at    time.Time
}

// beginning is the start that the query asks for. It is the time of the event if that is
// kept; if only later events are kept, the history starts with those.
func (s *Server) beginning(q *query, watch outage.Watch) (b beginning, err error) {
	if q.from != nil {
		b.at = *q.from
	}
	if q.since == nil || *q.since == 0 {
		return b, nil
	}
	b.after = *q.since
	if _, err := s.store.Events(b.after, 1); err != nil {
		return b, err
	}
	if events, err := s.store.Events(b.after-1, 1); err == nil && len(events) > 0 {
		b.at = later(b.at, watch.At(&events[0]))
	}
	return b, nil
}

// cut drops what was before the beginning.
func (b beginning) cut(past store.Past, watch outage.Watch) store.Past {
	last := uint64(0) // the last one dropped
	kept := store.Past{Gaps: past.Gaps}
	for _, e := range past.Events {
		if e.Seq <= b.after || watch.At(&e).Before(b.at) {
			last = e.Seq
			continue
		}
		kept.Events = append(kept.Events, e)
	}
	kept.Gaps = slices.DeleteFunc(slices.Clone(kept.Gaps), func(gap provider.Gap) bool { return gap.Last <= max(last, b.after) })
	return kept
}

// summarise adds up how long each state lasted, as far as it is known: since the first event
// that is kept, but not before this daemon began to watch. Not counted is the time while
// probing was paused or the state UNKNOWN, like that of a remote provider while this machine
// has no network; while nothing was watched, because the machine slept or the daemon was
// held up; and where events are gone. Setting the clock is not time that passed. If all
// events of a provider have been displaced by those of others, the row has the last state
// and its time. Events before the beginning only determine the state at the beginning. The
// changes are those of the record; see [spellsOf].
func summarise(st *provider.Status, past store.Past, changes []rollup.Change, watch outage.Watch, begin beginning, now time.Time) provider.HistoryReply {
	told := past
	if begin != (beginning{}) {
		told = begin.cut(past, watch)
	}
	reply := provider.HistoryReply{ID: st.ID, Transitions: told.Events, Gaps: told.Gaps}
	reply.StateSeconds = map[provider.State]float64{}
	if len(told.Events) == 0 {
		reply.Transitions = []provider.Event{}
	}
	spells := spellsOf(st, past, changes, watch)
	if len(spells) == 0 {
		return reply
	}
	reply.Since = provider.AtMost(provider.Time{Time: later(later(spells[0].from, begin.at), watch.Began())}, now)
	var known, usable time.Duration
	lasted := map[provider.State]time.Duration{}
	for i, spell := range spells {
		until := now
		if i+1 < len(spells) {
			until = spells[i+1].from
		}
		d := watch.Seen(later(spell.from, begin.at), until)
		if d <= 0 || !rollup.Counts(spell.state, spell.reason) {
			continue
		}
		lasted[spell.state] += d
		known += d
		if provider.Usable(spell.state, spell.reason) {
			usable += d
		}
	}
	for state, d := range lasted {
		reply.StateSeconds[state] = inSeconds(d)
	}
	reply.KnownSeconds, reply.UsableSeconds = inSeconds(known), inSeconds(usable)
	reply.UptimeRatio, reply.UsableRatio = partOf(lasted[provider.StateRunning], known), partOf(usable, known)
	return reply
}

// A spell is a state that lasts until the next spell; none: unknown.
type spell struct {
	from   time.Time // by the clock as it is now
	state  provider.State
	reason provider.Reason
}

// spellsOf returns the known states of a provider, oldest first. If the clock was set back a
// little, a state lasts no time rather than a negative one. After an outage of this machine a
// provider is unknown until its first probe. That has no event if its state is the one from
// before, so the recorded changes say when it was, or the row.
func spellsOf(st *provider.Status, past store.Past, changes []rollup.Change, watch outage.Watch) []spell {
	var spells []spell
	add := func(e *provider.Event) {
		from := watch.At(e)
		if len(spells) > 0 {
			from = later(from, spells[len(spells)-1].from)
		}
		spells = append(spells, spell{from, e.To, e.Reason})
	}
	state, reason, since := st.Own()
	changes = append(slices.Clip(changes), rollup.Change{Time: since.Time, State: state, Reason: reason})
	var probed *provider.Event // the first probe after an outage of this machine
	gaps := past.Gaps
	for i := range past.Events {
		e := &past.Events[i]
		lost := false // events before it, so its predecessor may not be what held until then
		for len(gaps) > 0 && gaps[0].Last < e.Seq {
			gaps, lost = gaps[1:], true
		}
		if lost && len(spells) > 0 {
			spells[len(spells)-1].state = ""
		}
		if e.Hearsay { // what users say is no state of the provider's
			continue
		}
		if probed != nil && !lost && probed.Time.Before(e.Time.Time) {
			add(probed)
		}
		if probed = nil; e.ID == provider.HostID && e.Reason != provider.Offline {
			probed = firstProbe(e, changes)
			back := *e
			back.To, back.Reason = provider.StateUnknown, provider.Offline
			e = &back
		}
		add(e)
	}
	if probed != nil && len(gaps) == 0 {
		add(probed)
	}
	row := spell{since.Time, state, reason}
	switch {
	case len(spells) == 0 && !row.from.IsZero():
		return []spell{row}
	case len(spells) > 0 && len(gaps) > 0:
		last := &spells[len(spells)-1]
		last.state = ""
		row.from = later(row.from, last.from)
		return append(spells, row)
	}
	return spells
}

// firstProbe is what was found first after this machine's outage that an event ended; nil if
// nothing was found.
func firstProbe(back *provider.Event, changes []rollup.Change) *provider.Event {
	ended := back.Time.Truncate(time.Millisecond) // as exact as a recorded change
	for _, c := range changes {
		if c.Reason != provider.Offline && !c.Time.Before(ended) {
			return &provider.Event{Seq: back.Seq, Time: provider.Time{Time: c.Time}, ID: back.ID, To: c.State, Reason: c.Reason}
		}
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
