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

// A group is what one commit writes. Store.mu guards it while it is pending; then it
// belongs to the committer.
type group struct {
	changes []provider.Event    // in order of arrival; the commit assigns Seq
	skipped uint64              // older changes that retention has dropped already
	rows    map[*cell]*Row      // the last row of each changed cell: written, then published
	deletes map[string]struct{} // ids of removed providers
	urgent  bool                // the configuration changed
	barrier *barrier            // nil if nobody waits for the commit
	notes   map[string][]byte   // see [Store.SaveNotes]

	// Set by take.
	riders     map[*cell]*Row // published rows that are newer than those on the disk
	generation uint64         // up to which to reserve; 0: not now
	history    *account

	// Set by write.
	last   bool   // the last commit of an orderly stop
	base   uint64 // the newest seq before this group
	oldest uint64 // the oldest seq on the disk before it
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

// trim limits what is pending while the disk refuses. It drops changes that would not
// outlive the commit, as newer ones use up the retention, and only counts them.
func (g *group) trim(keep uint64) {
	if over := len(g.changes) - int(keep); over > 0 {
		g.skipped += uint64(over)
		g.changes = slices.Delete(g.changes, 0, over)
	}
}

// forget drops the rows of removed cells, but not their events.
func (g *group) forget() {
	for c := range g.rows {
		if c.gone {
			delete(g.rows, c)
		}
	}
}

// prepend puts a group that could not be committed in front of g. Its barrier has
// ended.
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
	if len(failed.notes) > 0 {
		notes := maps.Clone(failed.notes)
		maps.Copy(notes, g.notes) // the newer ones
		g.notes = notes
	}
	g.trim(keep)
}

// empty reports whether nothing in the group needs a commit.
func (g *group) empty() bool {
	return len(g.changes) == 0 && len(g.rows) == 0 && len(g.deletes) == 0 && len(g.notes) == 0 && !g.urgent
}

// newest is the seq of the last event of the group.
func (g *group) newest() uint64 { return g.base + g.skipped + uint64(len(g.changes)) }

// kept is the seq of the oldest event that readers get.
func (g *group) kept() uint64 { return max(g.oldest, g.retained()) }

// retained is the oldest seq that retention leaves on the disk.
func (g *group) retained() uint64 {
	first := g.newest() - min(g.keep, g.newest()) + 1
	if g.skipped > 0 { // no event from before the gap may look like the one just before the next
		first = max(first, g.base+g.skipped+1)
	}
	return first
}

// apply writes the group and its head. It is idempotent: a commit whose last sync failed
// counts as failed, and may be in the file nonetheless.
func (g *group) apply(tx *bolt.Tx) error {
	h, err := readHead(tx)
	if err != nil {
		return &corruptError{err}
	}
	if h.Newest < g.base || h.Newest > g.base+2*g.keep { // a failed commit adds no more than this
		return &corruptError{fmt.Errorf("another database was written over it: its newest event is %d, and should be %d", h.Newest, g.base)}
	}
	if g.generation != 0 {
		h.Generation = g.generation
	}
	h.Newest, h.Closed = g.newest(), g.last
	if h.Oldest = g.oldest; g.newest() != g.base {
		h.Oldest = g.kept()
	}
	return errors.Join(g.applyRows(tx.Bucket(rowsBucket()), &h.Rows), g.applyEvents(tx.Bucket(eventsBucket())),
		g.history.apply(tx, h), g.applyNotes(tx.Bucket(notifyBucket())), h.write(tx))
}

// frozen is a copy of the group, for a transaction that may still run after we gave up.
func (g *group) frozen() *group {
	f := *g
	f.changes, f.rows, f.deletes, f.riders = slices.Clone(g.changes), maps.Clone(g.rows), maps.Clone(g.deletes), maps.Clone(g.riders)
	return &f
}

func (g *group) applyRows(b *bolt.Bucket, sums *rowSums) error {
	// Deletes come first: an id may have been configured again.
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
	b.FillPercent = 0.95 // seqs only grow, so that full pages get no more of them
	for key, _ := b.Cursor().Seek(seqKey(g.base + 1)); key != nil; key, _ = b.Cursor().Seek(seqKey(g.base + 1)) {
		// From a commit that failed and reached the file nonetheless.
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
