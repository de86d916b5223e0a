package store

import (
	"slices"
	"time"

	"github.com/providerd/providerd/store/rollup"
)

// An unwritten is what the ledger has of some providers that may not be in the file. It is
// taken before the file is read: a commit that moves something from the ledger into the file
// meanwhile neither hides it nor makes it count twice. Of changes of state, and what came after
// them, readers see only what is in the file; see [held].
type unwritten struct {
	rolls     uint64 // how often hours had been closed
	providers map[string]recent
	batches   []*batch // the last one has what is not in a batch yet, and the number that it will have
}

// A recent is a provider in an unwritten.
type recent struct {
	number uint32         // 0: it has no history
	open   *rollup.Bucket // its open hour; nil: empty
	held   []held         // what it had before changes that may not be committed
}

// unwritten takes it at the moment now.
func (l *ledger) unwritten(ids []string, now time.Time) *unwritten {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := &unwritten{rolls: l.rolls, providers: make(map[string]recent, len(ids))}
	wanted := make(map[uint32]bool, len(ids))
	next := &batch{number: l.batches + 1, changes: changes{machine: slices.Clone(l.waiting[machine])}}
	for _, id := range ids {
		number := l.names[id].number
		p := recent{number, l.openNow(id, now), slices.Clone(l.held[number])}
		u.providers[id] = p
		wanted[number] = true
	}
	for _, c := range l.closed {
		if wanted[c.number] {
			next.closed = append(next.closed, c)
		}
	}
	u.batches = append(slices.Clone(l.unsaved), next)
	return u
}

// openNow is the open hour of a provider up to now; nil if it is empty. The caller holds mu.
func (l *ledger) openNow(id string, now time.Time) *rollup.Bucket {
	t := l.tallies[id]
	if t == nil {
		return nil
	}
	b := t.Bucket(l.hour)
	if !t.gone {
		b.Spend(t.state, t.reason, (l.position(now) - t.mark).Truncate(time.Millisecond))
	}
	if b.IsEmpty() {
		return nil
	}
	return &b
}

// hours calls visit for each hour of a provider that a file with that head lacks.
func (u *unwritten) hours(id string, h *head, visit func(at time.Time, b *rollup.Bucket)) {
	p := u.providers[id]
	held := p.heldBack(h)
	for _, batch := range u.batches {
		if batch.number <= h.Batch {
			continue
		}
		for _, c := range batch.closed {
			if c.number != p.number {
				continue
			}
			if b, err := rollup.ReadBucket(c.text); err == nil { // we wrote it
				visit(c.hour, held.shown(&b, c.rolls))
			}
		}
	}
	if p.open != nil && h.Rolls <= u.rolls { // otherwise it was closed meanwhile, and is in the file
		visit(p.open.Time, held.shown(p.open, u.rolls))
	}
}

// watched returns this machine's changes that a file with that head lacks. Those of providers are
// not shown before they are in the file.
func (u *unwritten) watched(h *head) (list []rollup.Change) {
	for _, batch := range u.batches {
		if batch.number > h.Batch {
			list = append(list, batch.changes[machine]...)
		}
	}
	return list
}
