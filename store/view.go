package store

import "github.com/providerd/providerd/store/provider"

// A table is the set of providers in the configuration's order. It never
// changes; the rows in its cells do.
type table struct {
	cells      []*cell
	byID       map[string]*cell
	configured bool // it is what Configure made, not what Open read
	shelf      shelf
}

func newTable(size int) *table {
	return &table{cells: make([]*cell, 0, size), byID: make(map[string]*cell, size)}
}

func (t *table) add(c *cell) {
	t.cells = append(t.cells, c)
	t.byID[c.id()] = c
}

// A View is a look at all rows. The set and order of providers are those of one
// moment; each row is the newest when it is asked for, and at least as new as
// every event up to Seq.
type View struct {
	seq   uint64
	table *table
}

// View returns a look at what is known now. It waits for nothing.
func (s *Store) View() View {
	// In this order: rows are published before the events that led to them.
	seq := s.journal.Load().newest
	return View{seq, s.table.Load()}
}

// Seq is the newest event that was published when the view was taken, 0 for none.
func (v View) Seq() uint64 { return v.seq }

// Len is the number of providers.
func (v View) Len() int { return len(v.table.cells) }

// At returns the row of the i-th provider, 0 ≤ i < Len.
func (v View) At(i int) *Row { return v.table.cells[i].row.Load() }

// Row returns the row of a provider, nil for one that is not configured.
func (v View) Row(id string) *Row {
	if c := v.table.byID[id]; c != nil {
		return c.row.Load()
	}
	return nil
}

// Changed returns a channel that is closed when a newer row of the provider is
// published, or the provider is configured anew or removed. Take it before
// reading the row. For an id that is not configured it is closed already.
func (s *Store) Changed(id string) <-chan struct{} {
	if row := s.View().Row(id); row != nil {
		return row.changed()
	}
	return s.closed
}

// Configure sets which providers there are from now on, and their order. Those in
// fresh get the row given there, at once, in place of what was known or pending of
// them; the event of such an update, if any, follows with the next commit. Other
// ids keep their row and what is pending of them. One that has no row at all gets
// one that says UNKNOWN, not checked. Whoever is not in order is gone, and gone
// from the disk with the next commit: its events stay, and one in fresh is its last.
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

// note queues an event that has no row of its own; nil is none.
func (s *Store) note(e *provider.Event) {
	if e != nil {
		s.pending.add(*e, s.keep)
	}
}

// fresh makes a cell for a provider that is new, or new to us; nil when its row
// cannot be encoded.
func (s *Store) fresh(id string, u Update) *cell {
	u.Status.ID = id
	row, err := newRow(u)
	if err != nil {
		s.log.Error("a provider is left out", "id", id, "error", err)
		return nil
	}
	c := newCell(row)
	s.dirty[c] = struct{}{}
	s.pending.urgent = true
	return c
}

// retire ends the cells that are in the old table and not in the next one.
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
