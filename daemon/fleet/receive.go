package fleet

import (
	"cmp"
	"slices"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

// receive takes what changed on the bus.
func (e *Engine) receive(b *bus.Batch) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.joined == nil || e.cfg == nil {
		return
	}
	changes := make([]change, 0, len(b.Changes))
	for i := range b.Changes {
		c := &b.Changes[i]
		if k, ok := wire.ParseKey(c.Key); ok { // else it is of a later version, or nonsense
			changes = append(changes, change{k, c})
		}
	}
	if b.All {
		slices.SortStableFunc(changes, e.before())
		e.startAll()
	}
	for _, c := range changes {
		e.change(c.key, c.Change, b.All)
	}
	e.joined.batchAt = time.Now()
	if b.All {
		e.joined.kept = nil
		e.setMode(provider.FleetOK, nil)
	}
}

// A change is one of a key that this version knows.
type change struct {
	key wire.Key
	*bus.Change
}

// before is the order in which all keys are read. Rows come after the claims that they need, and
// what members say comes after the members. If there are too many of those, the ones that were
// known already stay, and then those that have been here the longest: a crowd of new names does not
// push them out.
func (e *Engine) before() func(a, b change) int {
	known := e.peers
	class := func(c change) int {
		switch {
		case c.key.Kind != wire.Members && c.key.Kind != wire.Rows:
			return 3
		case c.key.Kind == wire.Rows:
			return 4
		case c.key.Member == e.self():
			return 0
		case known[c.key.Member] != nil:
			return 1
		}
		return 2
	}
	return func(a, b change) int {
		order := cmp.Compare(class(a), class(b))
		if order == 0 && a.key.Kind == wire.Members {
			return cmp.Compare(a.Created, b.Created)
		}
		return order
	}
}

// startAll forgets what is not in a batch with all keys. What this machine knows of itself
// stays.
func (e *Engine) startAll() {
	e.membership++
	e.joined.kept = map[*item]int64{}
	e.peers, e.tags = map[string]*peer{}, 0
	for _, it := range e.items {
		if it.claim.mine {
			e.joined.kept[it] = it.claim.epoch
		}
		it.claim, it.claimAt, it.models, it.refresh = claim{}, time.Time{}, nil, 0
		e.dirty[it] = struct{}{}
	}
	e.tellChanged()
}

func (e *Engine) change(k wire.Key, c *bus.Change, all bool) {
	switch k.Kind {
	case wire.Members:
		e.changeMember(k, c)
	case wire.Hosts:
		e.changeHost(k, c)
	case wire.Limits:
		e.changeLimit(k, c, all)
	default:
		it := e.byFP[k.FP]
		if it == nil {
			return // not one of ours
		}
		e.dirty[it] = struct{}{}
		switch k.Kind {
		case wire.Claims:
			e.changeClaim(it, c)
		case wire.Rows:
			e.changeRow(it, c, all)
		case wire.ModelSet:
			it.models, it.newest.models = c.Value, c.Written
		case wire.Refresh:
			e.changeRefresh(it, c)
		}
	}
}

func (e *Engine) refuse() { e.count.Refused++ }

func (e *Engine) changeClaim(it *item, c *bus.Change) {
	e.tellChanged()
	was := it.claim
	it.claim, it.claimAt = claim{}, time.Time{}
	if c.Value == nil {
		return
	}
	if it.seen.epoch != c.Created {
		it.seen.epoch, it.seen.at = c.Created, time.Now()
	}
	v, err := wire.ParseClaim(c.Value)
	if err != nil {
		e.refuse()
		v.Member = "" // somebody who cannot be believed
	}
	it.claim = claim{member: v.Member, epoch: c.Created}
	it.claim.mine = was.mine && was.epoch == c.Created || e.joined.kept[it] == c.Created
	if v.Member == e.self() && c.Lease != 0 && !it.claim.mine && c.Created != it.returned {
		e.take(it, c.Created) // the answer to our claim is late, or was lost
	}
	if it.claim.member == "" {
		it.claim.member = "?"
	}
}

func (e *Engine) changeRow(it *item, c *bus.Change, all bool) {
	it.newest.row = c.Written
	if c.Value == nil {
		return
	}
	r, err := wire.ParseRow(c.Value)
	if err != nil || r.Refresh >= c.Written { // nobody can answer what was asked later
		e.refuse()
		return
	}
	now := time.Now()
	if r.By == e.self() {
		if !it.sentAt.IsZero() && r.Epoch == it.claim.epoch {
			e.joined.lag, it.sentAt = now.Sub(it.sentAt), time.Time{}
		}
		it.row.Extra = r.Extra
		return
	}
	if it.claim.mine || r.Epoch != it.claim.epoch || r.By != it.claim.member {
		return // of a prober before this one
	}
	before := it.row
	if !all {
		it.hear(r, c.Written, now)
	} else if c.Written != it.revision {
		// It was written since the batch before this one. If there is none, at any time; an
		// honest prober writes this often.
		it.hear(r, c.Written, later(now.Add(-touchEvery), e.joined.batchAt))
	}
	e.tell(it, now)
	if before.Epoch == r.Epoch {
		e.ration(it, before.Probes, r.Probes)
	}
}

// hear takes a row that was written at that moment.
func (it *item) hear(r wire.Row, revision int64, at time.Time) {
	it.row, it.revision, it.heardAt, it.begunAt = r, revision, at, at.Add(-r.Age)
}

// ration makes an own check if it is this member's turn. A prober that counts too fast cannot
// make it probe more often than it would alone.
func (e *Engine) ration(it *item, from, to uint64) {
	if e.follows() || time.Since(it.lastCheck) < it.p.Interval {
		return
	}
	checkers := []string{e.self()}
	for _, name := range e.listers(it) {
		if p := e.peers[name]; name != it.claim.member && !p.is.Follows {
			checkers = append(checkers, name)
		}
	}
	slices.Sort(checkers)
	if ownCheck(from, to, len(checkers), slices.Index(checkers, e.self())) {
		e.check(it)
	}
}

// check orders an own check.
func (e *Engine) check(it *item) {
	it.lastCheck = time.Now()
	id := it.p.ID
	e.order(func() { e.o.Local.CheckSoon(id) })
}

func (e *Engine) changeRefresh(it *item, c *bus.Change) {
	if c.Value == nil {
		return // who asked is gone; others may wait for the same probe
	}
	if _, err := wire.ParseAsk(c.Value); err != nil {
		e.refuse()
		return
	}
	it.refresh = c.Written
}
