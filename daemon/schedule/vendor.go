package schedule

import (
	"time"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/store/provider"
)

// ApplyVendorStatus records what a provider's vendor reports of it, nil if that is no incident
// or unknown, and how it is known. The row shows it at once, without a probe. An id that is
// unknown, or follows another feed by now, is ignored.
func (s *Scheduler) ApplyVendorStatus(id string, vendor *provider.Incident, step *provider.FeedStep) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.follower(id, step); e != nil {
		rec, event := judge.ApplyVendorStatus(e.known.record(), vendor, e.cfg, time.Now())
		e.note(step, &rec)
		s.put(e, &rec, event)
	}
}

// NoteFeed records that a provider's status feed told nothing new: what is believed of it
// stays.
func (s *Scheduler) NoteFeed(id string, step *provider.FeedStep) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.follower(id, step); e != nil {
		rec := e.known.record()
		e.note(step, &rec)
		s.put(e, &rec, nil)
	}
}

// follower is the provider of that id, if it follows that feed.
func (s *Scheduler) follower(id string, step *provider.FeedStep) *entry {
	if e := s.entries[id]; e != nil && e.cfg.Feed.URL == step.URL {
		return e
	}
	return nil
}

// note puts what is known of the feed, and the resulting row, into the diagnostics.
func (e *entry) note(step *provider.FeedStep, rec *judge.Record) {
	e.feed = step
	st := &rec.Status
	d := provider.Diagnostics{ // not probed yet
		ID: st.ID, Kind: st.Kind, Endpoint: st.Endpoint, Verdict: provider.Verdict{Saw: st.Reason, Fall: e.cfg.Fall},
	}
	if e.diagnostics != nil {
		d = *e.diagnostics // readers have the old one
	}
	d.Feed = step
	show(&d.Verdict, st)
	e.diagnostics = &d
}
