package schedule

import "time"

const (
	// burst is how many of the probes that are due at the same time begin at once. Each
	// that ends starts another, so more goroutines and stacks are only needed if servers
	// answer slowly.
	burst = 32
	// burstWait is how long the others wait before as many again begin.
	burstWait = 10 * time.Millisecond
)

// startDue begins a burst of the due probes, and returns the wait for the rest, for the next
// probe, or for the next check of this machine.
func (s *Scheduler) startDue() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.lookAtClock(now)
	s.lookAtRoute(now)
	if s.behind && now.Before(s.looks) { // woken during a burst
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

// startOne begins the probe that has been due for longest; false: none is due. Probes that
// have to wait for their full lane do not count for the burst: they need no goroutine, and
// delay nothing in the other lane.
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
