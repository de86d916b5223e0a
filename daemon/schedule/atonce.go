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

// This file sees the end and the beginning of a local server at once. A socket at its port
// that was closed is news: a reason to ask, and no evidence. The evidence is a bare connect.
// If it is refused, that is what a probe would find, and it is judged as a probe. If it is
// accepted, a probe follows: over the same connection, unless the last probe began less
// than a second ago.
//
// A server that begins to listen makes no news. So for a while after its end, and for
// readers who want a young row, the scheduler knocks: it tries a bare connect four times a
// second.
const (
	// newsGap is the least time between two bare connects of one provider that news cause.
	newsGap = time.Second
	// knockGap is the least time between two knocks.
	knockGap = 250 * time.Millisecond
	// vigil is how long after its end a server is knocked at. Most that come back were
	// restarted.
	vigil = 30 * time.Second
	// mostVigils bounds what it costs when many end together. The others are asked at the
	// fast pace.
	mostVigils = 64
)

// A portEntry is an entry at a port of this machine.
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

// Ports are the ports of this machine at which there are providers, in order. A port may
// come more than once.
func (s *Scheduler) Ports() []uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	ports := make([]uint16, len(s.ports))
	for i, p := range s.ports {
		ports[i] = p.port
	}
	return ports
}

// Closed takes in that sockets which listened at these ports of this machine may have been
// closed. It waits for nothing.
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

// ClosedAny takes in that any socket at [Scheduler.Ports] may have been closed.
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

// soonest is when an entry may be asked again, whoever asks: a second after the last probe
// began, and a little after the last bare connect.
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

// isKnock reports whether what begins now comes sooner after the last look than a probe
// by schedule would.
func (s *Scheduler) isKnock(e *entry, now time.Time) bool {
	return e.news || now.Sub(s.began(e)) < minGap
}

// noteBegin notes what it was that has ended: a probe, after whose beginning no other
// begins for a second, or a bare connect.
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

// keepVigil brings the next look forward at a server that has just ended.
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

// mayComeBack reports whether a server of this machine has ended so recently that it may
// only have been restarted.
func mayComeBack(r *judge.Record, o *probe.Observation, p *config.Provider) bool {
	st := &r.Status
	return o.Saw == provider.ConnectionRefused && st.Reason == o.Saw && !st.LastOKAt.IsZero() &&
		!st.RetryAt.After(o.Ended()) && o.Ended().Sub(st.Since.Time) < vigil && p.OnThisMachine() && (o.Bare || p.LocalPort() != 0)
}
