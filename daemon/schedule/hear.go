package schedule

import (
	"time"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/store/provider"
)

// Hear records a report from a user who is not an administrator; by names the user, for people.
// It does not wait. The provider is probed at once, unless it asked for no requests; until
// then the user can be believed, see [judge.Hearsay].
func (s *Scheduler) Hear(id string, r provider.Report, by string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	e, o, err := s.reported(id, r, by, now)
	if err != nil {
		return err
	}
	_, before := e.known.Believes(now)
	last := e.known.row.Hearsay
	rec := judge.HearLimits(e.known.record(), &o, by, e.cfg)
	if o.Saw == "" { // it was about the limits alone
		s.put(e, &rec, nil)
		return nil
	}
	rec.Stirred = now
	rec, event := judge.ApplyHearsay(rec, o, by, e.cfg)
	if left, believed := rec.Believes(now); believed && (!before || !rec.Status.Hearsay.At.Equal(last.At.Time)) { // no probe that began earlier answers it
		e.heard++
		s.expireIn(e, left)
	}
	e.known.keep(&rec, nil)
	if !rec.Status.Paused {
		s.askInTime(e, now)
		if e.index >= 0 {
			rec.Status.NextCheckAt = provider.Time{Time: e.due}
		}
	}
	s.put(e, &rec, event)
	return nil
}

// expireIn makes the row drop the report after that time, as there may be no probe by then.
func (s *Scheduler) expireIn(e *entry, left time.Duration) {
	heard := e.heard
	time.AfterFunc(left, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if e.removed || e.heard != heard || s.ctx != nil && s.ctx.Err() != nil {
			return
		}
		now := time.Now()
		if more, believed := e.known.Believes(now); believed { // the clock was set
			s.expireIn(e, more)
			return
		}
		if e.known.row.Hearsay != nil {
			rec, event := judge.ApplyTime(e.known.record(), e.cfg, now)
			s.put(e, &rec, event)
		}
	})
}

// begun is the record of a new entry. A report is no longer believed after a restart, and
// limits may have been reset.
func (s *Scheduler) begun(e *entry, now time.Time) (*judge.Record, *provider.Event) {
	rec := e.known.record()
	if h := rec.Status.Hearsay; (h == nil || h.Over == nil) && rec.Limits == nil {
		return &rec, nil
	}
	rec, event := judge.ApplyTime(rec, e.cfg, now)
	e.known.keep(&rec, nil)
	s.logEvent(e, event)
	return &rec, event
}
