package notify

import (
	"context"
	"slices"
	"time"

	"github.com/providerd/providerd/daemon/notify/book"
)

// A saving is what one commit makes durable.
type saving struct {
	books  []savedBook
	upkeep uint64 // the changes of the maintenance
	gone   bool   // with the books of sinks that are gone
	err    error
}

// A savedBook is a book as it was when the save began.
type savedBook struct {
	outlet   *outlet
	changes  uint64
	cursor   uint64
	messages []savedMessage
}

// A savedMessage is a message with its id at that moment.
type savedMessage struct {
	message *book.Message
	id      string
}

// save starts writing the changed books, in one commit and in its own goroutine, unless a save is
// in progress. After a failure it returns when to try again, and otherwise zero. The caller holds
// mu.
func (e *Engine) save(work context.Context, now time.Time) time.Time {
	if e.writing {
		return time.Time{}
	}
	s, notes := e.unsaved()
	if len(notes) == 0 {
		return time.Time{}
	}
	if wait := e.writeAt.Sub(now); wait > 0 && wait <= again {
		return e.writeAt
	}
	e.writing = true
	go func() {
		ctx, cancel := context.WithTimeout(work, saveWithin)
		defer cancel()
		s.err = e.o.Store.SaveNotes(ctx, notes)
		select {
		case e.saved <- s:
		case <-e.ended:
		}
	}()
	return time.Time{}
}

// unsaved returns what is not on the disk. The caller holds mu.
func (e *Engine) unsaved() (s saving, notes map[string][]byte) {
	notes = map[string][]byte{}
	for _, o := range e.outlets {
		if o.changes == o.saved {
			continue
		}
		text, err := o.book.Text()
		if err != nil { // a time beyond the year 9999
			e.o.Log.Error("cannot save messages of a sink", "sink", o.Settings.Sink, "error", err)
			continue
		}
		notes[noteKey(o.Settings.Sink)] = text
		b := savedBook{outlet: o, changes: o.changes, cursor: o.book.Cursor}
		for _, m := range o.book.Outbox {
			b.messages = append(b.messages, savedMessage{m, m.ID})
		}
		s.books = append(s.books, b)
	}
	if s.gone = e.gone; s.gone {
		for key := range e.o.Store.Notes() {
			if id, ok := sinkOf(key); ok && !slices.ContainsFunc(e.outlets, func(o *outlet) bool { return o.Settings.Sink == id }) {
				notes[key] = nil
			}
		}
	}
	if s.upkeep = e.upkeep.changes; s.upkeep != e.upkeep.saved {
		notes[upkeepKey] = e.upkeep.text()
	}
	return s, notes
}

// endSave notes how a save ended. What it wrote can now be sent.
func (e *Engine) endSave(s saving, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.writing = false
	if s.err != nil {
		e.writeAt = now.Add(again) // the store has logged it
		return
	}
	for _, b := range s.books {
		b.outlet.saved, b.outlet.cursor = b.changes, b.cursor
		for _, m := range b.messages {
			m.message.Saved = m.id
		}
	}
	e.upkeep.saved = max(e.upkeep.saved, s.upkeep)
	e.gone = e.gone && !s.gone
}
