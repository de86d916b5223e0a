package schedule

import (
	"time"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/store/provider"
)

// Hear takes in what a provider's vendor reports of it, nil when that is nothing or
// cannot be told, and how that is known. Nobody has to wait for a probe to see it,
// and none is made. An id that is not known, or that follows another feed by now, is
// left out.
func (s *Scheduler) Hear(id string, vendor *provider.Incident, step *provider.FeedStep) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e == nil || e.cfg.Feed.URL != step.URL {
		return
	}
	event := e.hear(vendor, step, time.Now())
	s.put(e, event)
}

// hear judges what the vendor reports, and puts it into the evidence.
func (e *entry) hear(vendor *provider.Incident, step *provider.FeedStep, now time.Time) *provider.Event {
	rec, event := judge.Hear(e.rec, vendor, &e.cfg, now)
	e.rec, e.feed = rec, step
	st := &rec.Status
	d := provider.Diagnostics{ // not probed yet
		ID: st.ID, Kind: st.Kind, Endpoint: st.Endpoint,
		Verdict: provider.Verdict{Saw: st.Reason, Fall: e.cfg.Fall, NextCheck: st.NextCheckAt},
	}
	if e.evidence != nil {
		d = *e.evidence // readers have the old one
	}
	d.Feed = step
	d.Verdict.State, d.Verdict.Reason, d.Verdict.Detail, d.Verdict.Hint = st.State, st.Reason, st.Detail, st.Hint
	e.evidence = &d
	return event
}
