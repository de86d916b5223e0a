package control

import (
	"errors"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// eventsAtOnce bounds how many events are held for one follower.
const eventsAtOnce = 256

// events answers GET /api/events. Without follow it ends with the newest event
// there was when it was asked; with follow it ends when one side goes. A
// follower that does not say where to begin begins now.
func (s *Server) events(c *call) *provider.Error {
	var cursor uint64
	newest := s.store.View().Seq()
	switch {
	case c.query.since != nil:
		cursor = *c.query.since
	case c.query.follow:
		cursor = newest
	}
	// The first look decides between a stream and an error. Whoever wants all that
	// is kept cannot ask for less, and is told of a gap by the stream.
	var gap *store.GapError
	if _, err := s.store.Events(cursor, 1); err != nil && (cursor > 0 || !errors.As(err, &gap)) {
		return asError(err)
	}
	st := s.openStream(c)
	if st == nil {
		return nil
	}
	defer st.close()
	for going := true; going && (c.query.follow || cursor < newest); {
		more := s.store.NextEvents() // before the look: none is missed
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
		default: // newest is gone already
			return nil
		}
	}
	return nil
}

// skip tells the follower of events that are gone. It returns the seq of the last of
// them, and whether the stream goes on.
func (st *stream) skip(gap provider.Gap, cursor uint64) (uint64, bool) {
	note := provider.StreamNote{Type: provider.NoteGap, Reason: string(provider.EventsGone), First: gap.First, Seq: gap.Last}
	if err := st.add(note); err != nil {
		return cursor, false
	}
	return gap.Last, st.proceed(st.flush(), gap.Last)
}

// until cuts off what is newer than newest.
func until(events []provider.Event, newest uint64) []provider.Event {
	for i, e := range events {
		if e.Seq > newest {
			return events[:i]
		}
	}
	return events
}

// send writes the events. It returns the seq of the last one that was written,
// and whether the stream goes on.
func (st *stream) send(events []provider.Event, cursor uint64) (uint64, bool) {
	for i := range events {
		if err := st.add(&events[i]); err != nil {
			st.s.log.Error("Encoding an event broke", "seq", events[i].Seq, "error", err)
			return cursor, false
		}
		cursor = events[i].Seq
		if st.full() && !st.proceed(st.flush(), cursor) {
			return cursor, false
		}
	}
	return cursor, st.proceed(st.flush(), cursor)
}

// endEvents tells a follower why there are no more events. Only one that fell
// behind by more than is kept finds them gone.
func (s *Server) endEvents(st *stream, err error, cursor uint64) {
	var e *provider.Error
	if errors.As(err, &e) && e.Code == provider.EventsGone {
		st.end(endSlowReader, cursor)
		return
	}
	s.log.Error("Reading events for a follower broke", "since", cursor, "error", err)
	st.end(endStoreFailing, cursor)
}
