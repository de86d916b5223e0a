package notify

import (
	"errors"
	"slices"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// read adds the new events to the books. It returns false if the disk did not answer.
func (e *Engine) read(now time.Time) bool {
	e.mu.Lock()
	outlets := slices.Clone(e.outlets)
	e.mu.Unlock()
	for _, o := range outlets {
		if !e.readFor(o, now) {
			return false
		}
	}
	return true
}

// readFor adds the events since the position of one book. It does not hold mu while it reads.
func (e *Engine) readFor(o *outlet, now time.Time) bool {
	lost, missed := uint64(0), false
	for {
		e.mu.Lock()
		cursor := o.book.Cursor
		e.mu.Unlock()
		events, next, err := e.eventsAfter(cursor)
		if err != nil {
			return false // they come with the next ones
		}
		e.mu.Lock()
		if next != cursor {
			missed, o.book.Cursor = true, next
			if gone := next - min(cursor, next); gone < numbersJump {
				lost += gone
			}
		}
		hint := e.hints()
		for i := range events {
			o.book.Observe(&events[i], hint(&events[i]), &o.Settings)
		}
		if len(events) > 0 || next != cursor {
			e.mu.Unlock()
			continue
		}
		if missed {
			e.o.Log.Warn("events were lost before notification: people are told what holds now", "sink", o.Settings.Sink, "events", lost)
			o.book.Resync(e.look(), lost, &o.Settings, now)
			o.changes++
		}
		e.mu.Unlock()
		return true
	}
}

// A gap of numbersJump is no loss of events: their numbers jumped when the database was repaired.
const numbersJump = 1_000_000

// eventsAfter returns the next events or, if those are lost, the position to continue from.
func (e *Engine) eventsAfter(cursor uint64) (events []provider.Event, next uint64, err error) {
	events, err = e.o.Store.Events(cursor, readAtOnce)
	var gap *store.GapError
	var known *provider.Error
	switch {
	case errors.As(err, &gap):
		return nil, gap.Last, nil
	case errors.As(err, &known) && known.Code == provider.EventsGone:
		// The remaining events are older than the rows, and are skipped too.
		return nil, e.o.Store.View().Seq(), nil
	}
	return events, cursor, err
}

// hints returns what to do about an event, according to the row of its provider.
func (e *Engine) hints() func(*provider.Event) string {
	view := e.o.Store.View()
	return func(ev *provider.Event) string {
		row := view.Row(ev.ID)
		if row == nil || row.Status.Reason != ev.Reason {
			return provider.Hint(ev.Reason, provider.Subject{ID: ev.ID})
		}
		return row.Status.Hint
	}
}
