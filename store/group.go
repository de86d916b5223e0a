package store

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
)

// A group is what one commit writes. While it waits it is guarded by Store.mu;
// then it belongs to the committer.
type group struct {
	changes []provider.Event    // in the order in which they came; their Seq is given with the commit
	skipped uint64              // changes before those that retention has dropped already
	rows    map[*cell]*Row      // the last row of each changed cell: written, then published
	deletes map[string]struct{} // ids that are gone
	urgent  bool                // the configuration changed
	barrier *barrier            // whoever waits for a commit; nil for nobody

	// Set when the group is taken.
	riders     map[*cell]*Row // published rows that are newer than on the disk
	generation uint64         // to be reserved up to here; 0: not now

	// Set when it is written.
	last   bool   // nothing is shown after it
	base   uint64 // the newest seq before this group
	oldest uint64 // the oldest that is on the disk before it
	keep   uint64
}

func newGroup() *group {
	return &group{rows: make(map[*cell]*Row), deletes: make(map[string]struct{})}
}

// add queues an event.
func (g *group) add(e provider.Event, keep uint64) {
	g.changes = append(g.changes, e)
	g.trim(keep)
}

// trim bounds what waits while the disk refuses. The changes that it drops would
// not outlive the commit: newer ones fill what retention keeps. They only count.
func (g *group) trim(keep uint64) {
	if over := len(g.changes) - int(keep); over > 0 {
		g.skipped += uint64(over)
		g.changes = slices.Delete(g.changes, 0, over)
	}
}

// forget drops the rows of cells that are gone. What happened to them did happen.
func (g *group) forget() {
	for c := range g.rows {
		if c.gone {
			delete(g.rows, c)
		}
	}
}

// prepend puts back a group that could not be committed, in front of g. Its
// barrier has ended.
func (g *group) prepend(failed *group, keep uint64) {
	failed.forget()
	g.changes = append(failed.changes, g.changes...)
	g.skipped += failed.skipped
	g.urgent = g.urgent || failed.urgent
	for c, row := range failed.rows {
		if g.rows[c] == nil {
			g.rows[c] = row
		}
	}
	for id := range failed.deletes {
		g.deletes[id] = struct{}{}
	}
	g.trim(keep)
}

// empty reports whether nothing in the group asks for a commit.
func (g *group) empty() bool {
	return len(g.changes) == 0 && len(g.rows) == 0 && len(g.deletes) == 0 && !g.urgent
}

// newest is the seq of the last event of the group.
func (g *group) newest() uint64 { return g.base + g.skipped + uint64(len(g.changes)) }

// kept is the seq of the oldest event that readers of the stream are given.
func (g *group) kept() uint64 { return max(g.oldest, g.retained()) }

// retained is the seq before which retention leaves no event on the disk.
func (g *group) retained() uint64 {
	first := g.newest() - min(g.keep, g.newest()) + 1
	if g.skipped > 0 { // what came before the gap must not be read as what came before it
		first = max(first, g.base+g.skipped+1)
	}
	return first
}

// apply writes the group, and the head that goes with it. It may be applied a second
// time on top of itself: a commit whose last sync fails has failed for us, and may
// yet be in the file.
func (g *group) apply(tx *bolt.Tx) error {
	h, err := readHead(tx)
	if err != nil {
		return &corruptError{err}
	}
	if h.Newest < g.base || h.Newest > g.base+2*g.keep { // a commit that failed has at most so many
		return &corruptError{fmt.Errorf("another database was written over it: its newest event is %d, and should be %d", h.Newest, g.base)}
	}
	if g.generation != 0 {
		h.Generation = g.generation
	}
	h.Newest, h.Closed = g.newest(), g.last
	if h.Oldest = g.oldest; g.newest() != g.base {
		h.Oldest = g.kept()
	}
	return errors.Join(g.applyRows(tx.Bucket(rowsBucket()), &h.Rows), g.applyEvents(tx.Bucket(eventsBucket())), h.write(tx))
}

// frozen is the group as it is now, for a transaction that may be left behind.
func (g *group) frozen() *group {
	f := *g
	f.changes, f.rows, f.deletes, f.riders = slices.Clone(g.changes), maps.Clone(g.rows), maps.Clone(g.deletes), maps.Clone(g.riders)
	return &f
}

func (g *group) applyRows(b *bolt.Bucket, sums *rowSums) error {
	// Deletes come first: an id may have come back.
	for id := range g.deletes {
		sums.toggle([]byte(id), storedSum(b.Get([]byte(id))))
		if err := b.Delete([]byte(id)); err != nil {
			return fmt.Errorf("delete the row of %s: %w", id, err)
		}
	}
	for _, rows := range []map[*cell]*Row{g.riders, g.rows} {
		for _, row := range rows {
			id, value := []byte(row.Status.ID), encodeRow(row)
			sums.toggle(id, storedSum(b.Get(id)))
			sums.toggle(id, storedSum(value))
			if err := b.Put(id, value); err != nil {
				return fmt.Errorf("write the row of %s: %w", id, err)
			}
		}
	}
	return nil
}

func (g *group) applyEvents(b *bolt.Bucket) error {
	b.FillPercent = 0.95 // seqs only grow: pages in the middle get no more of them
	for key, _ := b.Cursor().Seek(seqKey(g.base + 1)); key != nil; key, _ = b.Cursor().Seek(seqKey(g.base + 1)) {
		// Left by a commit that failed for us and reached the file.
		if err := b.Delete(key); err != nil {
			return fmt.Errorf("delete an unpublished event: %w", err)
		}
	}
	if g.newest() == g.base {
		return nil
	}
	retained := seqKey(g.retained())
	for key, _ := b.Cursor().First(); key != nil && bytes.Compare(key, retained) < 0; key, _ = b.Cursor().First() {
		if err := b.Delete(key); err != nil {
			return fmt.Errorf("trim event %x: %w", key, err)
		}
	}
	for _, e := range g.events() {
		key, value, err := encodeEvent(&e)
		if err != nil {
			return err
		}
		if err := b.Put(key, value); err != nil {
			return fmt.Errorf("write event %d: %w", e.Seq, err)
		}
	}
	return nil
}

// events returns the group's events with their seqs.
func (g *group) events() []provider.Event {
	events := slices.Clone(g.changes)
	for i := range events {
		events[i].Seq = g.base + g.skipped + uint64(i) + 1
	}
	return events
}
