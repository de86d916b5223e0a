package schedule

import (
	"time"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// Report records what a caller met at a provider; by names the caller, for people. It does not
// wait. The provider is probed at once, or at the time that the report names. A probe in
// progress does not overrule it, since it may have seen an earlier state.
func (s *Scheduler) Report(id string, r provider.Report, by string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	e, o, err := s.reported(id, r, by, now)
	if err != nil {
		return err
	}
	rec := judge.ApplyLimits(e.known.record(), &o, e.cfg)
	if o.Saw == "" { // it was about the limits alone
		s.put(e, &rec, nil)
		return nil
	}
	rec.Stirred = now
	rec, event := judge.ApplyReport(rec, o, e.cfg)
	e.known.keep(&rec, nil)
	e.reports++
	if st := &rec.Status; !st.Paused {
		s.askAfter(e, now)
		st.TTLMS = max(st.TTLMS, timeToLive(&rec, e.cfg, now).Milliseconds()) // the row does not become fresher
		if e.index >= 0 {
			st.NextCheckAt = provider.Time{Time: e.due}
		}
	}
	s.put(e, &rec, event)
	s.saw(e, Reported, now)
	return nil
}

// reported returns the entry of a report and what the report claims to have seen.
func (s *Scheduler) reported(id string, r provider.Report, by string, now time.Time) (*entry, probe.Observation, error) {
	e := s.entries[id]
	if e == nil {
		return nil, probe.Observation{}, unknown(id)
	}
	o, err := probe.Reported(e.cfg.Kind, r, now)
	o.Detail = "reported by " + by + ": " + o.Detail
	return e, o, err
}

// askAfter plans the probe that follows a report. If the provider asked for no requests,
// callers who were promised a probe without force wait too.
func (s *Scheduler) askAfter(e *entry, now time.Time) {
	retry := e.known.row.RetryAt.Time
	if !retry.After(now) {
		s.askInTime(e, now)
		return
	}
	if e.probe != nil {
		return // complete plans it
	}
	s.sweepOne(e) // the sweep does not wait for it
	if e.want.owed || e.waiting {
		if s.declined(e, now, e.want.force) == "" {
			return
		}
		e.want.owed = false
		s.await(e, false)
	}
	e.due = anchored(retry, now).Add(time.Duration(s.o.Random() * float64(minGap))) // see next
	s.queue.put(e)
	s.nudge()
}
