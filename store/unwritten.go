package store

import (
	"slices"
	"time"

	"github.com/providerd/providerd/store/rollup"
)

// An unwritten is what the ledger has of some providers that may not be in the file. It is
// taken before the file is read: a commit that moves something from the ledger into the file
// meanwhile neither hides it nor makes it count twice.
type unwritten struct {
	rolls     uint64 // how often hours had been closed
	providers map[string]recent
	batches   []*batch // the last one has what is not in a batch yet, and the number that it will have
}

// A recent is a provider in an unwritten.
type recent struct {
	number uint32         // 0: it has no history
	open   *rollup.Bucket // its open hour; nil: empty
}

// unwritten takes it at the moment now.
func (l *ledger) unwritten(ids []string, now time.Time) *unwritten {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := &unwritten{rolls: l.rolls, providers: make(map[string]recent, len(ids))}
	next := &batch{number: l.batches + 1, changes: changes{machine: slices.Clone(l.waiting[machine])}}
	for _, id := range ids {
		p := recent{l.names[id].number, l.openNow(id, now)}
		u.providers[id] = p
		next.changes[p.number] = slices.Clone(l.waiting[p.number])
	}
	for _, c := range l.closed {
		if _, wanted := next.changes[c.number]; wanted {
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
	for _, batch := range u.batches {
		if batch.number <= h.Batch {
			continue
		}
		for _, c := range batch.closed {
			if c.number != p.number {
				continue
			}
			if b, err := rollup.ReadBucket(c.text); err == nil { // we wrote it
				visit(c.hour, &b)
			}
		}
	}
	if p.open != nil && h.Rolls <= u.rolls { // otherwise it was closed meanwhile, and is in the file
		visit(p.open.Time, p.open)
	}
}

// changes are those of a provider, or of this machine, that a file with that head lacks.
func (u *unwritten) changes(number uint32, h *head) (list []rollup.Change) {
	for _, batch := range u.batches {
		if batch.number > h.Batch {
			list = append(list, batch.changes[number]...)
		}
	}
	return list
}
