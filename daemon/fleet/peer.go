package fleet

import (
	"bytes"
	"slices"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
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

// peer finds a member, and makes it if there is room; nil: there is none.
func (e *Engine) peer(name string) *peer {
	p := e.peers[name]
	if p == nil && len(e.peers) < mostMembers {
		p = &peer{parts: map[int][]wire.Tag{}}
		e.peers[name] = p
	}
	return p
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

func (e *Engine) changeMember(k wire.Key, c *bus.Change) {
	e.tellChanged()
	e.joined.reread = true
	defer e.relist(k.Member)
	p := e.peers[k.Member]
	if c.Value == nil {
		e.removePart(k, p)
		return
	}
	m, err := wire.ParseMember(c.Value)
	if err == nil && k.Part == 0 {
		p = e.peer(k.Member)
	}
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

// removePart forgets one part of what a member lists. Without its own key it is no member.
func (e *Engine) removePart(k wire.Key, p *peer) {
	if p == nil {
		return
	}
	if k.Part > 0 {
		e.tags -= len(p.parts[k.Part])
		delete(p.parts, k.Part)
		return
	}
	for _, part := range p.parts {
		e.tags -= len(part)
	}
	delete(e.peers, k.Member)
}

func (e *Engine) changeHost(k wire.Key, c *bus.Change) {
	p := e.peers[k.Member]
	if p == nil {
		return // of no member
	}
	e.tellChanged()
	p.host, p.hosts = nil, time.Now()
	if c.Value == nil {
		return
	}
	h, err := wire.ParseHost(c.Value)
	if err != nil {
		e.refuse()
		return
	}
	p.host = &h
}
