package schedule

import (
	"time"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/daemon/outage"
	"github.com/providerd/providerd/store"
)

// lookAtClock notices that the machine slept, that this process was held up, and that the
// clock was set. The caller holds mu.
func (s *Scheduler) lookAtClock(now time.Time) {
	var verdict outage.Verdict
	wall, before := s.o.Wall(), s.lookedAt
	s.lookedAt = s.o.Store.View().Seq()
	s.machine, verdict = s.machine.LookAtClock(outage.Clocks{Mono: now, Wall: wall, Asleep: s.o.Asleep()})
	s.tellTime(now, wall, verdict.Lapse)
	if verdict.Lapse != (outage.Lapse{}) {
		// Events that wait for the disk are from before it too.
		last := s.lookedAt + uint64(s.o.Store.Stats().Waiting)
		s.watch = s.watch.Missed(verdict.Lapse, wall, before, last)
	}
	if by := verdict.Lapse.Jumped; by != 0 {
		s.clockSet(by, wall)
	}
	s.carryOut(verdict, now, now)
}

// tellTime reports to the store how much time has passed, and how much of it the providers were
// watched.
func (s *Scheduler) tellTime(now, wall time.Time, l outage.Lapse) {
	var passed time.Duration
	if !s.toldAt.IsZero() {
		passed = now.Sub(s.toldAt) + l.Slept
	}
	s.toldAt = now
	missed := min(passed, l.Unseen())
	s.o.Store.Watch(store.Watched{Wall: wall, Seen: passed - missed, Missed: missed, Jumped: l.Jumped})
}

// clockSet shifts the times of every provider to the clock as it is now. When to probe does
// not depend on it.
func (s *Scheduler) clockSet(by time.Duration, wall time.Time) {
	direction := "forward"
	if by < 0 {
		direction = "back"
	}
	s.log.Warn("this machine's clock was set "+direction, "by", by.Abs().Round(time.Second).String())
	for _, id := range s.order {
		e := s.entries[id]
		rec := judge.ClockSet(e.known.record(), by, wall)
		u := e.update(&rec, nil)
		u.Durable = true // the next process would read the old times
		e.known.keep(&rec, s.o.Store.Put(u))
		s.watchLimits(e)
	}
}

// Watch is since when this process has watched its providers, and when it could not.
func (s *Scheduler) Watch() outage.Watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watch
}
