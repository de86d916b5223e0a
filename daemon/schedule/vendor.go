package schedule

import (
	"time"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/store/provider"
)

// ApplyVendorStatus takes in what a provider's vendor reports of it, nil when that is nothing or
// cannot be told, and how that is known. Nobody has to wait for a probe to see it,
// and none is made. An id that is not known, or that follows another feed by now, is
// left out.
func (s *Scheduler) ApplyVendorStatus(id string, vendor *provider.Incident, step *provider.FeedStep) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.follower(id, step); e != nil {
		s.put(e, e.applyVendorStatus(vendor, step, time.Now()))
	}
}

// NoteFeed takes in that a provider's status feed told nothing yet: what is believed
// of it stays.
func (s *Scheduler) NoteFeed(id string, step *provider.FeedStep) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.follower(id, step); e != nil {
		e.note(step)
		s.put(e, nil)
	}
}

// follower is the provider of that id, if it follows that feed.
func (s *Scheduler) follower(id string, step *provider.FeedStep) *entry {
	if e := s.entries[id]; e != nil && e.cfg.Feed.URL == step.URL {
		return e
	}
	return nil
}

// applyVendorStatus judges what the vendor reports, and notes how that is known.
func (e *entry) applyVendorStatus(vendor *provider.Incident, step *provider.FeedStep, now time.Time) *provider.Event {
	rec, event := judge.ApplyVendorStatus(e.rec, vendor, e.cfg, now)
	e.rec = rec
	e.note(step)
	return event
}

// note puts what is known of the feed, and what the row says now, into the diagnostics.
func (e *entry) note(step *provider.FeedStep) {
	e.feed = step
	st := &e.rec.Status
	d := provider.Diagnostics{ // not probed yet
		ID: st.ID, Kind: st.Kind, Endpoint: st.Endpoint, Verdict: provider.Verdict{Saw: st.Reason, Fall: e.cfg.Fall},
	}
	if e.diagnostics != nil {
		d = *e.diagnostics // readers have the old one
	}
	d.Feed = step
	e.show(&d.Verdict)
	e.diagnostics = &d
}
