package store

import (
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A table is the set of providers in the configuration's order. It never changes; the
// rows in its cells do.
type table struct {
	cells      []*cell
	byID       map[string]*cell
	configured bool // made by Configure, not by Open
	shelf      shelf
}

func newTable(size int) *table {
	return &table{cells: make([]*cell, 0, size), byID: make(map[string]*cell, size)}
}

func (t *table) add(c *cell) {
	t.cells = append(t.cells, c)
	t.byID[c.id()] = c
}

// rows are the current rows.
func (t *table) rows() []*Row {
	rows := make([]*Row, len(t.cells))
	for i, c := range t.cells {
		rows[i] = c.row.Load()
	}
	return rows
}

// A View gives access to all rows. The set and order of providers are those of one
// moment; each row is the newest at the time of the call, and at least as new as every
// event up to Seq.
type View struct {
	seq   uint64
	table *table
}

// View returns a view of what is known now. It does not wait.
func (s *Store) View() View {
	// In this order: rows are published before the events that led to them.
	seq := s.journal.Load().newest
	return View{seq, s.table.Load()}
}

// Seq is the newest event that was published when the view was taken, 0 if there was none.
func (v View) Seq() uint64 { return v.seq }

// Len is the number of providers.
func (v View) Len() int { return len(v.table.cells) }

// At returns the row of the i-th provider, 0 ≤ i < Len.
func (v View) At(i int) *Row { return v.table.cells[i].row.Load() }

// Row returns a provider's row, nil if it is not configured.
func (v View) Row(id string) *Row {
	if c := v.table.byID[id]; c != nil {
		return c.row.Load()
	}
	return nil
}

// Changed returns a channel that is closed when a newer row of the provider is
// published, or its configuration changes, or it is removed. Take the channel before
// reading the row. For an id that is not configured it is closed already.
func (s *Store) Changed(id string) <-chan struct{} {
	if row := s.View().Row(id); row != nil {
		return row.changed()
	}
	return s.closed
}

// Configure sets the providers and their order. Those in fresh get the row given there
// at once, in place of any known or pending one; the event of such an update, if any,
// follows with the next commit. Other ids keep their rows and pending updates; one
// without a row gets UNKNOWN, not checked. A provider that is not in order is removed,
// and from the disk with the next commit. Its events stay; its last one may be in fresh.
func (s *Store) Configure(order []string, fresh map[string]Update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	old, next := s.table.Load(), newTable(len(order))
	next.configured = true
	for _, id := range order {
		if id == "" || next.byID[id] != nil {
			continue
		}
		c := old.byID[id]
		if u, ok := fresh[id]; ok {
			c = s.fresh(id, u)
		} else if c == nil {
			c = s.fresh(id, Update{Status: provider.Status{
				State: provider.StateUnknown, Reason: provider.NotChecked, Source: provider.FromProbe,
			}})
		}
		if c != nil {
			next.add(c)
			delete(s.pending.deletes, id)
		}
	}
	s.table.Store(next)
	s.ledger.configure(next.rows(), s.now(), time.Now())
	old.shelf.close()
	s.retire(old, next)
	for _, c := range old.cells {
		if next.byID[c.id()] == nil {
			s.note(fresh[c.id()].Event)
		}
	}
	for _, c := range next.cells {
		s.note(fresh[c.id()].Event)
	}
	s.wake()
}

// note queues an event without a row; nil means none.
func (s *Store) note(e *provider.Event) {
	if e != nil {
		s.pending.add(*e, s.keep)
	}
}

// fresh makes a cell for a new or changed provider; nil if its row cannot be encoded.
func (s *Store) fresh(id string, u Update) *cell {
	u.Status.ID = id
	row, err := newRow(u)
	if err != nil {
		s.log.Error("left out a provider", "id", id, "error", err)
		return nil
	}
	c := newCell(row)
	s.dirty[c] = struct{}{}
	s.pending.urgent = true
	return c
}

// retire ends the cells of the old table that are not in the next one.
func (s *Store) retire(old, next *table) {
	for id, c := range old.byID {
		switch next.byID[id] {
		case c:
			continue
		case nil:
			s.pending.deletes[id] = struct{}{}
		}
		c.gone = true
		delete(s.dirty, c)
		delete(s.behind, c)
		c.row.Load().pass()
	}
	s.pending.forget()
}
