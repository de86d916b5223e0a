package schedule

import (
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// Counts are of all providers or of one. A probe that ended has one of the four
// outcomes.
type Counts struct {
	OK        uint64 // probes that saw nothing wrong
	NotOK     uint64 // that saw something else
	Failed    uint64 // that broke themselves
	Discarded uint64 // that were cut short, or whose provider was paused or removed meanwhile

	Refreshes uint64
	Idle      uint64 // of them, those that nobody was to be probed for
	Coalesced uint64 // asks that shared another's probe
}

// Stats are what a Scheduler counts since it was made, as of one moment. Every
// probe that began is in flight or has ended.
type Stats struct {
	Counts
	InFlight int64

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
	Counts
	Latencies store.Durations // of the deciding requests that were answered
}

// countProbe counts a probe that has ended.
func (s *Scheduler) countProbe(e *entry, o *probe.Observation) {
	for _, c := range []*Counts{&s.count.Counts, &e.count} {
		switch o.Saw {
		case provider.OK, provider.ScopeLimited:
			c.OK++
		case provider.ProbeFailed:
			c.Failed++
		default:
			c.NotOK++
		}
	}
	if o.Latency > 0 {
		e.latencies.Add(o.Latency)
	}
}

// Stats returns what is counted, and what is under way.
func (s *Scheduler) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.count
	stats.Planned = len(s.queue)
	for i := range s.lanes {
		for _, e := range s.lanes[i].waiting {
			if e.waiting {
				stats.Waiting++
			}
		}
	}
	stats.Lag = s.lag(time.Now())
	return stats
}

// discard counts a probe whose result is of no use.
func (s *Scheduler) discard(e *entry) {
	s.count.Discarded++
	e.count.Discarded++
}

// coalesce counts an ask that shares another's probe.
func (s *Scheduler) coalesce(e *entry) {
	s.count.Coalesced++
	e.count.Coalesced++
}

// ByProvider returns what is counted of each provider, by id.
func (s *Scheduler) ByProvider() map[string]ProviderStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]ProviderStats, len(s.entries))
	for id, e := range s.entries {
		all[id] = ProviderStats{Counts: e.count, Latencies: e.latencies}
	}
	return all
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
