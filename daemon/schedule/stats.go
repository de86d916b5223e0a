package schedule

import (
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// Stats are what a Scheduler counts since it was made, as of one moment. Every
// probe that began is in flight, or has ended with one of the four outcomes.
type Stats struct {
	InFlight  int64
	OK        uint64 // probes that saw nothing wrong
	NotOK     uint64 // that saw something else
	Failed    uint64 // that broke themselves
	Discarded uint64 // that were cut short, or whose provider was paused or removed meanwhile

	Refreshes uint64
	Idle      uint64 // of them, those that nobody was to be probed for
	Coalesced uint64 // asks that shared another's probe

	Planned int // providers whose next probe has its time
	Waiting int // for a slot: their time has come
	Lag     time.Duration
}

// Probes is how many began.
func (s *Stats) Probes() uint64 {
	return uint64(s.InFlight) + s.OK + s.NotOK + s.Failed + s.Discarded
}

// ProviderStats are what is counted of one provider since it was configured, or
// the daemon was started. The sums over all providers may be less than [Stats]:
// what was counted of one goes with it.
type ProviderStats struct {
	OK, NotOK uint64           // see [Stats]
	Latencies *store.Durations // of the deciding requests that were answered; nil: see [Scheduler.KeepLatencies]
}

// Counted is what is counted of the providers of one configuration, and of the kinds
// that there were so far. It reads on what is counted, and holds up nobody.
type Counted struct {
	entries map[string]*entry
	kinds   map[string]*latencies
}

// Counted returns what is counted of those that are configured now.
func (s *Scheduler) Counted() *Counted { return s.counted.Load() }

// Provider is what is counted of one; nothing of one that is not configured.
func (c *Counted) Provider(id string) ProviderStats {
	e := c.entries[id]
	if e == nil {
		return ProviderStats{}
	}
	stats := ProviderStats{OK: e.ok.Load(), NotOK: e.notOK.Load()}
	if l := e.latencies.Load(); l != nil {
		read := l.read()
		stats.Latencies = &read
	}
	return stats
}

// Kinds are the latencies of the deciding requests that were answered, of all
// providers of a kind since the daemon was started.
func (c *Counted) Kinds() map[string]store.Durations {
	all := make(map[string]store.Durations, len(c.kinds))
	for kind, l := range c.kinds {
		all[kind] = l.read()
	}
	return all
}

// countProbe counts a probe that has ended.
func (s *Scheduler) countProbe(e *entry, o *probe.Observation) {
	switch {
	case o.Saw.Healthy():
		s.count.OK++
		e.ok.Add(1)
	case o.Saw == provider.ProbeFailed:
		s.count.Failed++
	default:
		s.count.NotOK++
		e.notOK.Add(1)
	}
	if o.Latency <= 0 {
		return
	}
	e.kindLatency.add(o.Latency)
	if l := e.latencies.Load(); l != nil {
		l.add(o.Latency)
	}
}

// await notes whether an entry waits for a place in its lane.
func (s *Scheduler) await(e *entry, waits bool) {
	switch {
	case waits && !e.waiting:
		s.count.Waiting++
	case !waits && e.waiting:
		s.count.Waiting--
	}
	e.waiting = waits
}

// Stats returns what is counted, and what is under way.
func (s *Scheduler) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.count
	stats.Planned = len(s.queue)
	stats.Lag = s.lag(time.Now())
	return stats
}

// Counters fills in what the scheduler counts.
func (s *Scheduler) Counters(c *provider.Counters) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Probes, c.ProbesFailed, c.InFlight = s.count.Probes(), s.count.Failed, s.count.InFlight
	c.Refreshes, c.Coalesced = s.count.Refreshes, s.count.Coalesced
}

// Lag is how late the probe is that should have begun longest ago; 0 when all
// are on time.
func (s *Scheduler) Lag() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lag(time.Now())
}

func (s *Scheduler) lag(now time.Time) time.Duration {
	var lag time.Duration
	if len(s.queue) > 0 {
		lag = now.Sub(s.queue[0].due)
	}
	for i := range s.lanes {
		for _, e := range s.lanes[i].waiting {
			if e.waiting {
				lag = max(lag, now.Sub(e.due))
				break // they wait in the order of their due times
			}
		}
	}
	return max(lag, 0)
}
