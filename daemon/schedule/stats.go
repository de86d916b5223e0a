package schedule

import (
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// Stats are the counters of a Scheduler since it was made, at one moment. Every probe that
// began is in flight, or has ended with one of the four outcomes.
type Stats struct {
	InFlight  int64
	OK        uint64 // probes that saw no problem
	NotOK     uint64 // that saw something else
	Failed    uint64 // that failed by themselves
	Discarded uint64 // that were aborted, or whose provider was paused or removed meanwhile

	Refreshes uint64
	Idle      uint64 // those among them after which nothing was to be probed
	Coalesced uint64 // requests that shared another one's probe

	Planned int // providers whose next probe is planned
	Waiting int // due, but waiting for a slot
	Lag     time.Duration
}

// Probes is how many probes began.
func (s *Stats) Probes() uint64 {
	return uint64(s.InFlight) + s.OK + s.NotOK + s.Failed + s.Discarded
}

// ProviderStats are the counters of one provider since it was configured or the daemon was
// started. The sums over all providers may be less than [Stats], because the counters of a
// removed provider are dropped.
type ProviderStats struct {
	OK, NotOK uint64           // see [Stats]
	Latencies *store.Durations // of answered deciding requests; nil: see [Scheduler.KeepLatencies]
}

// Counted gives access to the counters of the providers of one configuration, and of all
// kinds so far. It reads the live counters without a lock.
type Counted struct {
	entries map[string]*entry
	kinds   map[string]*latencies
}

// Counted returns the counters of the providers that are configured now.
func (s *Scheduler) Counted() *Counted { return s.counted.Load() }

// Provider returns the counters of one provider; zero if it is not configured.
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

// Kinds returns the latencies of answered deciding requests, of all providers of a kind since
// the daemon was started.
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
	if o.Saw != provider.ProbeFailed {
		s.o.Store.Probed(e.cfg.ID, o.Saw.Healthy(), o.Latency)
	}
	if o.Latency <= 0 {
		return
	}
	e.kindLatency.add(o.Latency)
	if l := e.latencies.Load(); l != nil {
		l.add(o.Latency)
	}
}

// await notes whether an entry waits for a slot in its lane.
func (s *Scheduler) await(e *entry, waits bool) {
	switch {
	case waits && !e.waiting:
		s.count.Waiting++
	case !waits && e.waiting:
		s.count.Waiting--
	}
	e.waiting = waits
}

// Stats returns the counters, and what is in progress.
func (s *Scheduler) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.count
	stats.Planned = len(s.queue)
	stats.Lag = s.lag(time.Now())
	return stats
}

// Counters fills in the counters of the scheduler.
func (s *Scheduler) Counters(c *provider.Counters) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Probes, c.ProbesFailed, c.InFlight = s.count.Probes(), s.count.Failed, s.count.InFlight
	c.Refreshes, c.Coalesced = s.count.Refreshes, s.count.Coalesced
}

// Lag is how late the most overdue probe is; 0 if all are on time.
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
				break // the entries wait in the order of their due times
			}
		}
	}
	return max(lag, 0)
}
