package store

import (
	"encoding/json"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// Put records a result. If it has an Event, is Durable, or has a new retry_at, row and
// event are published together once they are on the disk. Otherwise the row is
// published at once, or, if an earlier change of the provider is not on the disk yet,
// after that change. Put itself never waits for the disk. It ignores an id that is not
// configured, such as a provider that was removed while it was being probed.
//
// It returns the row, published or not, so that nobody has to keep a copy of what is in
// it; nil if the update cannot be encoded.
func (s *Store) Put(u Update) *Row {
	row, err := newRow(u)
	if err == nil && u.Event != nil {
		_, err = json.Marshal(u.Event) // an event that cannot be encoded must not block every later commit
	}
	if err != nil {
		s.log.Error("dropped a result that cannot be encoded", "id", u.Status.ID, "error", err)
		return nil
	}
	if c := s.table.Load().byID[u.Status.ID]; c != nil {
		row.follows(c.row.Load())
	}
	s.put(u, row)
	return row
}

// put records the row of an update.
func (s *Store) put(u Update, row *Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.table.Load().byID[u.Status.ID]
	if c == nil || s.closing {
		return
	}
	if s.ledger.put(&u.Status, u.Event, time.Now()) {
		s.wake()
	}
	if u.Event != nil || u.Durable || namesNewRetryAt(&u.Status, c) {
		delete(s.behind, c)
		s.pending.rows[c] = row
		if u.Event != nil {
			s.pending.add(*u.Event, s.keep)
		}
		s.wake()
		return
	}
	switch {
	case s.pending.rows[c] != nil:
		s.pending.rows[c] = row
	case s.inFlight != nil && s.inFlight.rows[c] != nil:
		s.behind[c] = row
	default:
		c.replace(row).pass()
		s.dirty[c] = struct{}{}
	}
}

// namesNewRetryAt reports whether a row has a new retry_at. That must be durable even if
// nothing else changed.
func namesNewRetryAt(st *provider.Status, c *cell) bool {
	return !st.RetryAt.IsZero() && !st.RetryAt.Equal(c.row.Load().Status.RetryAt.Time)
}

// Note records an event that belongs to no provider's row. It does not wait; the event
// is published after the rows that were put before it.
func (s *Store) Note(e provider.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	s.note(&e)
	s.wake()
}

// wake tells the committer that there may be work.
func (s *Store) wake() {
	select {
	case s.nudge <- struct{}{}:
	default: // it has been told already
	}
}

// finish records how the commit of the group in flight ended. Only the committer calls
// it.
func (s *Store) finish(g *group, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight = nil
	s.ledger.finish(g.history, err)
	if err != nil {
		s.pending.prepend(g, s.keep)
		for c, row := range s.behind {
			s.pending.rows[c] = row // newer than the row in the failed commit
		}
		clear(s.behind)
		return
	}
	if g.generation != 0 {
		s.reserved.Store(g.generation)
	}
	for c, row := range g.riders {
		if c.row.Load() == row {
			delete(s.dirty, c)
		}
	}
	s.show(g)
}

// show publishes what a commit has made durable: first the rows, then their events.
// Then it wakes those who wait for either.
func (s *Store) show(g *group) {
	var old []*Row
	for c, row := range g.rows {
		if c.gone {
			continue
		}
		old = append(old, c.replace(row))
		delete(s.dirty, c)
	}
	for c, row := range s.behind {
		old = append(old, c.replace(row))
		s.dirty[c] = struct{}{}
	}
	clear(s.behind)
	if g.newest() != g.base {
		journal := s.journal.Load()
		s.journal.Store(journal.extended(g.events(), g.kept(), g.newest()))
		defer close(journal.next)
	}
	for _, row := range old {
		row.pass()
	}
}
