package schedule

import (
	"cmp"
	"slices"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// This file notices the end and the start of a local server at once. A closed socket at its
// port is news: a reason to check, and no evidence. The evidence is a bare connect. A
// refused one is what a probe would find, and is judged like a probe. After an accepted one a
// probe follows, over the same connection unless the last probe began less than a second
// ago.
//
// A server that starts to listen makes no news. So for a while after its end, and for
// readers who want a recent row, the scheduler knocks: it makes a bare connect four times a
// second.
const (
	// newsGap is the minimum time between two bare connects to a provider that news cause.
	newsGap = time.Second
	// knockGap is the minimum time between two knocks.
	knockGap = 250 * time.Millisecond
	// vigil is how long the scheduler knocks at a server that has ended. Most that come back
	// were restarted.
	vigil = 30 * time.Second
	// mostVigils limits the cost if many servers end together. The others are probed at the
	// fast pace.
	mostVigils = 64
)

// A portEntry is an entry with its port on this machine.
type portEntry struct {
	port uint16
	e    *entry
}

func (s *Scheduler) entriesAtPorts() []portEntry {
	var all []portEntry
	for _, id := range s.order {
		e := s.entries[id]
		if port := e.cfg.LocalPort(); port != 0 {
			all = append(all, portEntry{port, e})
		}
	}
	slices.SortStableFunc(all, func(a, b portEntry) int { return cmp.Compare(a.port, b.port) })
	return slices.Clip(all)
}

// Ports are the providers' ports on this machine, sorted. A port can occur more than once.
func (s *Scheduler) Ports() []uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	ports := make([]uint16, len(s.ports))
	for i, p := range s.ports {
		ports[i] = p.port
	}
	return ports
}

// Closed processes the news that listening sockets at these ports of this machine may have
// been closed. It does not wait.
func (s *Scheduler) Closed(ports []uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, port := range ports {
		i, _ := slices.BinarySearchFunc(s.ports, port, func(p portEntry, port uint16) int { return cmp.Compare(p.port, port) })
		for ; i < len(s.ports) && s.ports[i].port == port; i++ {
			s.ports[i].e.news = true
			s.heed(s.ports[i].e, now)
		}
	}
}

// ClosedAny is Closed for all of [Scheduler.Ports].
func (s *Scheduler) ClosedAny() { s.Closed(slices.Compact(s.Ports())) }

// heed makes a provider due if there is news of it: at once, but not too often. If a probe
// is in flight, complete calls it again.
func (s *Scheduler) heed(e *entry, now time.Time) {
	switch {
	case !e.news || e.probe != nil || e.waiting:
	case e.removed || s.declined(e, now, false) != "":
		e.news = false
	default:
		s.bringForward(e, later(now, s.made.Add(e.hears)))
	}
}

// soonest is when an entry may be probed again, whatever the cause: a second after the last
// probe began, and a little after the last bare connect.
func (s *Scheduler) soonest(e *entry, now time.Time) time.Time {
	return later(now, later(s.made.Add(e.free), s.began(e).Add(knockGap)))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// bringForward makes an entry due at a time, unless it is due before.
func (s *Scheduler) bringForward(e *entry, due time.Time) {
	if e.index < 0 || due.Before(e.due) {
		e.due = due
		s.queue.put(e)
	}
	s.nudge()
}

// isKnock reports whether what begins now comes earlier than a scheduled probe could.
func (s *Scheduler) isKnock(e *entry, now time.Time) bool {
	return e.news || now.Sub(s.began(e)) < minGap
}

// noteBegin notes whether a probe has ended, after whose beginning no other begins for a
// second, or a bare connect.
func (s *Scheduler) noteBegin(f *inFlight, o *probe.Observation) {
	if !f.knock {
		s.count.InFlight--
	}
	if e := f.e; !f.bare && !o.Bare && e.began != 0 {
		e.free = e.began + minGap
	}
}

// discard counts a probe whose result is not used.
func (s *Scheduler) discard(f *inFlight) {
	if !f.knock {
		s.count.Discarded++
	}
}

// keepVigil brings forward the next check of a server that has just ended.
func (s *Scheduler) keepVigil(e *entry, rec *judge.Record, o *probe.Observation) {
	if !mayComeBack(rec, o, e.cfg) || !e.vigil && s.vigils >= mostVigils {
		s.endVigil(e)
		return
	}
	if !e.vigil {
		e.vigil = true
		s.vigils++
	}
	next := o.Began.Add(knockGap)
	e.due = together(next, knockGap, next)
	rec.Status.NextCheckAt = provider.Time{Time: e.due}
}

func (s *Scheduler) endVigil(e *entry) {
	if e.vigil {
		e.vigil = false
		s.vigils--
	}
}

// mayComeBack reports whether a server on this machine ended so recently that it may be
// restarting.
func mayComeBack(r *judge.Record, o *probe.Observation, p *config.Provider) bool {
	st := &r.Status
	return o.Saw == provider.ConnectionRefused && st.Reason == o.Saw && !st.LastOKAt.IsZero() &&
		!st.RetryAt.After(o.Ended()) && o.Ended().Sub(st.Since.Time) < vigil && p.OnThisMachine() && (o.Bare || p.LocalPort() != 0)
}
