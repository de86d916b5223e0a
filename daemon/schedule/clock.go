package schedule

import (
	"fmt"
	"time"
)

const (
	// lookEvery is how often the clock is looked at, at least, and soonLook while
	// this machine has no network, for the sake of its coming back.
	lookEvery = 5 * time.Second
	soonLook  = time.Second
	// heldUp is how late a look is that tells of more than a busy machine, and by how
	// much the wall's clock may run ahead of the monotonic one.
	heldUp = 5 * time.Second
)

// A clock remembers the last look at both clocks. The monotonic one stands still
// while the machine sleeps; the wall's does not.
type clock struct{ mono, wall time.Time }

// look returns why nothing that was seen since the last look can be trusted, empty
// when there is no such reason.
func (c *clock) look(mono, wall time.Time) string {
	was := *c
	*c = clock{mono, wall}
	if was.mono.IsZero() {
		return ""
	}
	late := mono.Sub(was.mono)
	slept := wall.Round(0).Sub(was.wall.Round(0)) - late
	switch {
	case slept > heldUp:
		return fmt.Sprintf("this machine slept for %s, or its clock was set forward", slept.Round(time.Second))
	case late > lookEvery+heldUp:
		return fmt.Sprintf("providerd was held up for %s", late.Round(time.Second))
	}
	return ""
}

// watchClock begins anew when the machine slept or this process was held up: what
// the probes under way would see are timeouts of ours. Remote providers are
// unknown until the first of them answers; local ones stay as they are; and all
// are asked at once. The caller holds mu.
func (s *Scheduler) watchClock(now time.Time) {
	why := s.host.clock.look(now, s.o.Wall())
	if why == "" {
		return
	}
	s.log.Warn("asking everybody anew", "reason", why)
	s.host.doubted = now
	if !s.host.out {
		s.goOut(why, now)
	}
	for _, e := range s.entries {
		e.contact = unheard
		if e.inFlight {
			e.cancel() // land begins it again
		} else if s.declined(e, now, false) == "" && !e.waiting {
			s.askInTime(e, now)
		}
	}
}
