package control

import (
	"errors"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// eventsAtOnce is the most events that are held for one follower.
const eventsAtOnce = 256

// events answers GET /api/events. Without follow it ends with the event that was the newest
// at the time of the request; with follow it ends when one side disconnects. A follower that
// does not say where to begin begins now.
func (s *Server) events(c *call) *provider.Error {
	var cursor uint64
	newest := s.store.View().Seq()
	switch {
	case c.query.since != nil:
		cursor = *c.query.since
	case c.query.follow:
		cursor = newest
	}
	// The first read decides between a stream and an error. A caller that wants everything
	// that is kept cannot ask for less, so the stream reports the gap.
	var gap *store.GapError
	if _, err := s.store.Events(cursor, 1); err != nil && (cursor > 0 || !errors.As(err, &gap)) {
		return asError(err)
	}
	var fleet fleetWatch
	if c.query.follow {
		fleet = watchFleet(s.fleetOf) // before the follower knows that it follows, so that no change is missed
	}
	st := s.openStream(c)
	if st == nil {
		return nil
	}
	defer st.close()
	st.fleet = fleet
	for going := true; going && (c.query.follow || cursor < newest); {
		more := s.store.NextEvents() // taken before reading, so that none is missed
		events, err := s.store.Events(cursor, eventsAtOnce)
		if !c.query.follow {
			events = until(events, newest)
		}
		switch {
		case errors.As(err, &gap):
			cursor, going = st.skip(gap.Gap, cursor)
		case err != nil:
			s.endEvents(st, err, cursor)
			return nil
		case len(events) > 0:
			cursor, going = st.send(events, cursor)
		case c.query.follow:
			going = st.rest(more, cursor)
		default: // newest is already gone
			return nil
		}
	}
	return nil
}

// skip tells the follower that events are gone. It returns the seq of the last of them, and
// whether the stream continues.
func (st *stream) skip(gap provider.Gap, cursor uint64) (uint64, bool) {
	note := provider.StreamNote{Type: provider.NoteGap, Reason: string(provider.EventsGone), First: gap.First, Seq: gap.Last}
	if err := st.add(note); err != nil {
		return cursor, false
	}
	return gap.Last, st.proceed(st.flush(), gap.Last)
}

// until drops events after newest.
func until(events []provider.Event, newest uint64) []provider.Event {
	for i, e := range events {
		if e.Seq > newest {
			return events[:i]
		}
	}
	return events
}

// send writes the events. It returns the seq of the last one that was written, and whether
// the stream continues.
func (st *stream) send(events []provider.Event, cursor uint64) (uint64, bool) {
	for i := range events {
		if err := st.add(&events[i]); err != nil {
			st.s.log.Error("cannot encode an event", "seq", events[i].Seq, "error", err)
			return cursor, false
		}
		cursor = events[i].Seq
		if st.full() && !st.proceed(st.flush(), cursor) {
			return cursor, false
		}
	}
	return cursor, st.proceed(st.flush(), cursor)
}

// endEvents tells a follower why there are no more events. They are gone only if the
// follower fell behind further than events are kept.
func (s *Server) endEvents(st *stream, err error, cursor uint64) {
	var e *provider.Error
	if errors.As(err, &e) && e.Code == provider.EventsGone {
		st.end(endSlowReader, cursor)
		return
	}
	s.log.Error("cannot read events for a follower", "since", cursor, "error", err)
	st.end(endStoreFailing, cursor)
}
