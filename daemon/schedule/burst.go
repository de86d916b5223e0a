package schedule

import "time"

const (
	// burst is how many of the probes that are due at once begin at once. Each that
	// ends starts another, so no more goroutines with their stacks are needed, unless
	// servers are slow to answer.
	burst = 32
	// burstWait is how long the others wait before as many again begin.
	burstWait = 10 * time.Millisecond
)

// startDue begins the probes whose time has come, a burst of them, and returns the
// wait for the others, for the next one, or for the next look at this machine.
func (s *Scheduler) startDue() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.lookAtClock(now)
	s.lookAtRoute(now)
	if s.behind && now.Before(s.looks) { // woken while a burst is under way
		return s.looks.Sub(now)
	}
	for n := 0; n < burst && s.startOne(now); n++ {
	}
	wait := s.untilLook(now)
	if s.behind = wait <= 0; s.behind {
		wait = burstWait
	}
	s.looks = now.Add(wait)
	return wait
}

// startOne begins the probe that has been due for longest; false: none is due. Those
// that are lined up on the way, because their lane is full, are none of the burst: they
// need no goroutine, and delay nobody of the other lane.
func (s *Scheduler) startOne(now time.Time) bool {
	for len(s.queue) > 0 && !s.queue[0].due.After(now) {
		e := s.queue[0].entry
		s.queue.drop(e)
		if s.start(e, now) {
			return true
		}
	}
	return false
}
