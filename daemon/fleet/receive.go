package fleet

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

// A peer is a member of the fleet.
type peer struct {
	is    wire.Member
	parts map[int][]wire.Tag // sorted
	host  *wire.Host         // its own servers; nil: unknown
	hosts time.Time          // when that was received
}

// lists reports whether the member has a provider.
func (p *peer) lists(t wire.Tag) bool {
	for _, part := range p.parts {
		if _, found := slices.BinarySearchFunc(part, t, compareTags); found {
			return true
		}
	}
	return false
}

func compareTags(a, b wire.Tag) int { return bytes.Compare(a[:], b[:]) }

// isMember reports whether its own key exists.
func (p *peer) isMember() bool { return p.parts[0] != nil }

// peer finds a member, and makes it if there is room; nil: there is none.
func (e *Engine) peer(name string) *peer {
	p := e.peers[name]
	if p == nil && len(e.peers) < mostMembers {
		p = &peer{parts: map[int][]wire.Tag{}}
		e.peers[name] = p
	}
	return p
}

func (e *Engine) memberCount() (n int) {
	for _, p := range e.peers {
		if p.isMember() {
			n++
		}
	}
	return n
}

// listers are the other members that list a provider, by name.
func (e *Engine) listers(it *item) []string {
	if it.listed.as == e.membership {
		return it.listed.by
	}
	tag, names := it.id.FP.Tag(), []string(nil)
	for name, p := range e.peers {
		if name != e.self() && p.lists(tag) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	it.listed.by, it.listed.as = names, e.membership
	return names
}

// relist corrects the listers after one member's list changed. It happens for each member when
// all of a large fleet join at once, so it does not look at the other members.
func (e *Engine) relist(name string) {
	p := e.peers[name]
	for _, it := range e.items {
		if name == e.self() || it.listed.as != e.membership {
			continue
		}
		at, was := slices.BinarySearch(it.listed.by, name)
		switch is := p != nil && p.lists(it.id.FP.Tag()); {
		case is && !was:
			it.listed.by = slices.Insert(it.listed.by, at, name)
		case was && !is:
			it.listed.by = slices.Delete(it.listed.by, at, at+1)
		}
	}
}

func (e *Engine) self() string {
	if e.cfg == nil {
		return ""
	}
	return e.cfg.Member
}

func (e *Engine) follows() bool { return e.cfg != nil && e.cfg.Trust == config.Follow }

// receive takes what changed on the bus.
func (e *Engine) receive(b *bus.Batch) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.joined == nil || e.cfg == nil {
		return
	}
	if b.All {
		e.startAll()
	}
	// Rows and limits are read after the claims and members that they need.
	for _, late := range []bool{false, true} {
		for i := range b.Changes {
			c := &b.Changes[i]
			k, ok := wire.ParseKey(c.Key)
			if !ok {
				continue // of a later version, or nonsense
			}
			if isLate := k.Kind == wire.Rows; b.All && isLate != late || !b.All && late {
				continue
			}
			e.change(k, c, b.All)
		}
	}
	if b.All {
		e.joined.kept = nil
		e.setMode(provider.FleetOK, nil)
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
			it.models = c.Value
		case wire.Refresh:
			e.changeRefresh(it, c)
		}
	}
}

func (e *Engine) refuse() { e.count.Refused++ }

func (e *Engine) changeMember(k wire.Key, c *bus.Change) {
	e.tellChanged()
	e.joined.reread = true
	defer e.relist(k.Member)
	if c.Value == nil {
		if p := e.peers[k.Member]; p != nil {
			e.tags -= len(p.parts[k.Part])
			delete(p.parts, k.Part)
			if len(p.parts) == 0 && p.host == nil {
				delete(e.peers, k.Member)
			}
		}
		return
	}
	m, err := wire.ParseMember(c.Value)
	p := e.peer(k.Member)
	if err != nil || p == nil {
		e.refuse()
		return
	}
	if k.Part == 0 {
		p.is = m
		p.is.Tags = nil
	}
	if m.Tags == nil || e.tags-len(p.parts[k.Part])+len(m.Tags) > mostTags {
		m.Tags = []wire.Tag{} // nobody counts on it for more
	}
	slices.SortFunc(m.Tags, compareTags)
	e.tags += len(m.Tags) - len(p.parts[k.Part])
	p.parts[k.Part] = m.Tags
}

func (e *Engine) changeHost(k wire.Key, c *bus.Change) {
	e.tellChanged()
	p := e.peer(k.Member)
	if p == nil {
		return
	}
	p.host, p.hosts = nil, time.Now()
	if c.Value == nil {
		if len(p.parts) == 0 {
			delete(e.peers, k.Member)
		}
		return
	}
	h, err := wire.ParseHost(c.Value)
	if err != nil {
		e.refuse()
		return
	}
	p.host = &h
}

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
	it.row, it.heardAt, it.begunAt = r, now, now.Add(-r.Age)
	if all { // it may have been written at any time; an honest prober writes this often
		it.heardAt, it.begunAt = now.Add(-touchEvery), it.begunAt.Add(-touchEvery)
	}
	e.tell(it, now)
	if before.Epoch == r.Epoch {
		e.ration(it, before.Probes, r.Probes)
	}
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

func (e *Engine) changeLimit(k wire.Key, c *bus.Change, all bool) {
	items := e.byLimit[k.FP]
	if len(items) == 0 {
		return
	}
	if c.Value == nil {
		for _, it := range items {
			if !it.limit.until.IsZero() {
				it.limit, it.seen.at = limit{}, time.Now() // the prober probes from now on
				e.tellLimit(it, time.Now())
			}
		}
		return
	}
	l, err := wire.ParseLimit(c.Value)
	if err != nil {
		e.refuse()
		return
	}
	if !all || c.Lease == 0 {
		e.hold(items, l, l.Remaining)
		return
	}
	lease, left := c.Lease, time.Duration(0)
	e.put(func(ctx context.Context, s bus.Session) (err error) {
		left, err = s.Left(ctx, lease)
		return err
	}, func(err error) {
		if err != nil {
			left = l.Remaining // too late, never too early
		}
		if left > 0 {
			e.hold(items, l, min(left, wire.LongestWait))
		}
	})
}

// hold keeps providers from being probed and chosen until a limit ends.
func (e *Engine) hold(items []*item, l wire.Limit, remaining time.Duration) {
	now := time.Now()
	until := now.Add(remaining)
	for _, it := range items {
		it.limit.until, it.limit.by = until, l.By
		if l.By == e.self() && !it.found.retryAt.Before(until.Add(-2*time.Second)) {
			it.limitWord.at = time.Time{}
			continue // it met the limit itself
		}
		e.tellLimit(it, now)
	}
	e.tellChanged()
}
