package schedule

import (
	"time"

	"github.com/providerd/providerd/daemon/judge"
)

// watchLimits makes the row of an entry drop its limits when they are reset or too old, as
// there may be no probe by then. The caller holds mu.
func (s *Scheduler) watchLimits(e *entry) {
	timer := s.limits[e]
	now := time.Now()
	ends := e.known.LimitsEnd(e.cfg, now)
	if ends.IsZero() || e.removed {
		if timer != nil {
			timer.Stop()
			delete(s.limits, e)
		}
		return
	}
	if wait := ends.Sub(now); timer != nil {
		timer.Reset(wait)
	} else {
		s.limits[e] = time.AfterFunc(wait, func() { s.limitsEnded(e) })
	}
}

func (s *Scheduler) limitsEnded(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.removed || s.ctx != nil && s.ctx.Err() != nil {
		delete(s.limits, e)
		return
	}
	rec, event := judge.ApplyTime(e.known.record(), e.cfg, time.Now())
	s.put(e, &rec, event)
}
