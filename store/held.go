package store

import (
	"slices"

	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// A held is a provider's open hour just before a change of state that is not committed. Readers
// of the history see it instead of what came after: while the disk refuses, the change is as
// little known as it is in the provider's row. Known time that passes meanwhile is shown in the
// state before the change.
type held struct {
	batch  uint64 // the change is in the file with this batch
	rolls  uint64 // how often hours had been closed
	state  provider.State
	reason provider.Reason
	bucket rollup.Bucket
}

// hold keeps what a tally has before the first change of a batch. The caller holds mu.
func (l *ledger) hold(t *tally) {
	next, list := l.batches+1, l.held[t.number]
	if n := len(list); n > 0 && list[n-1].batch == next {
		return
	}
	if l.held == nil {
		l.held = make(map[uint32][]held)
	}
	l.held[t.number] = append(list, held{next, l.rolls, t.state, t.reason, t.Bucket(l.hour)})
}

// release drops what was held for batches up to last, which are committed. The caller holds mu.
func (l *ledger) release(last uint64) {
	for number, list := range l.held {
		list = slices.DeleteFunc(list, func(h held) bool { return h.batch <= last })
		if l.held[number] = list; len(list) == 0 {
			delete(l.held, number)
		}
	}
}

// heldBack is what hides the changes that a file with that head lacks; nil if it lacks none.
func (p *recent) heldBack(h *head) *held {
	for i := range p.held {
		if p.held[i].batch > h.Batch {
			return &p.held[i]
		}
	}
	return nil
}

// shown is an hour without what is held back of it. The hour was open when hours had been closed
// rolls times.
func (h *held) shown(b *rollup.Bucket, rolls uint64) *rollup.Bucket {
	if h == nil || rolls < h.rolls {
		return b
	}
	var c rollup.Bucket
	if rolls == h.rolls {
		c = h.bucket
	}
	c.Time, c.Step = b.Time, b.Step
	c.Spend(h.state, h.reason, b.Known()-c.Known())
	return &c
}
