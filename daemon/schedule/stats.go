package schedule

import (
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// Stats are what a Scheduler counts since it was made, as of one moment. Every
// probe that began is in flight or has one of the four outcomes.
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
	Waiting int // for a place: their time has come
	Lag     time.Duration
}

// Probes is how many began.
func (s *Stats) Probes() uint64 {
	return uint64(s.InFlight) + s.OK + s.NotOK + s.Failed + s.Discarded
}

// tally counts a probe that is settled.
func (s *Scheduler) tally(e *entry, o *probe.Observation) {
	switch o.Saw {
	case provider.OK:
		s.count.OK++
	case provider.ProbeFailed:
		s.count.Failed++
	default:
		s.count.NotOK++
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

// Latencies returns how long the deciding requests of each provider took that
// were answered, by id.
func (s *Scheduler) Latencies() map[string]store.Durations {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]store.Durations, len(s.entries))
	for id, e := range s.entries {
		all[id] = e.latencies
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
