package schedule

import (
	"context"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// An inFlight is a probe in progress.
type inFlight struct {
	e          *entry
	cancel     context.CancelFunc
	prober     Prober
	lane       *lane
	want       want   // how it was asked for
	epoch      uint16 // of the entry when it began
	reports    uint32 // of callers when it began
	heard      uint32 // how often users had been believed when it began
	generation uint64 // the newest refresh when it began
	knock      bool   // it may turn out to be a bare connect, which is no probe
	bare       bool   // it is one in any case
}

// complete processes what a probe saw, unless that is no longer of use. Then it passes the
// lane to the next entry.
func (s *Scheduler) complete(f *inFlight, o probe.Observation, ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.lookAtClock(now)
	e := f.e
	e.probe = nil
	f.lane.busy--
	s.noteBegin(f, &o)
	defer func() {
		s.heed(e, now)
		s.hand(f.lane, now)
		s.behind = s.behind && s.startOne(now)
	}()

	replaced := e.removed || e.epoch != f.epoch
	if replaced {
		f.prober.Close() // a reload has replaced it
	}
	if e.known.row.Paused {
		f.prober.Part()
	}
	switch {
	case s.ctx.Err() != nil || e.removed || e.known.row.Paused:
		s.discard(f)
	case replaced || ctx.Err() != nil || o.Saw == "": // aborted, or an accepted bare connect
		s.discard(f)
		s.beginAgain(f, now)
	default:
		s.take(f, &o, now)
	}
}

// take processes one probe: what it saw becomes evidence, the evidence becomes a row and an
// event, which are stored, and the next probe is planned.
func (s *Scheduler) take(f *inFlight, o *probe.Observation, now time.Time) {
	e := f.e
	if !f.knock || !o.Bare {
		s.countProbe(e, o)
	}
	machine := s.machineState(e, o) // it may change the record
	rec := e.known.record()
	event := e.judge(&rec, f, o, machine)
	s.schedule(e, &rec, o.Began)
	s.keepVigil(e, &rec, o)
	e.diagnostics = e.diagnose(o, &rec)
	if s.log.IsDebug() { // a useless call costs as much as the judgement
		s.log.Debug("probed provider", "id", e.cfg.ID, "saw", o.Saw, "detail", o.Detail,
			"latency", o.Latency, "took", o.Took, "doubts", rec.Run.Doubts, "generation", f.generation)
	}
	s.put(e, &rec, event)
	s.plan(e, now)
	s.saw(e, Probed, o.Began)
	if !e.probed {
		e.probed = true
		s.sweepOne(e)
	}
}

// judge updates the record with what a probe saw, or with that of a probe that a caller's
// report has overtaken since it began.
func (e *entry) judge(rec *judge.Record, f *inFlight, o *probe.Observation, machine judge.MachineState) (event *provider.Event) {
	if f.want.force {
		judge.Release(rec, o)
	}
	if f.reports == e.reports {
		if f.heard == e.heard {
			judge.Refute(rec, o)
		}
		event = judge.Judge(rec, o, e.cfg, machine)
	} else {
		event = judge.Overtaken(rec, o, e.cfg, machine)
	}
	rec.Status.Generation = f.generation
	return event
}

// schedule decides when the next probe is due by cadence, and until when the row is fresh.
func (s *Scheduler) schedule(e *entry, rec *judge.Record, began time.Time) {
	random := s.o.Random()
	due, ttl := next(rec, e.cfg, began, random, !e.probed)
	due, ttl = s.shares[e].pace(rec, e.cfg, began, due, ttl, random)
	e.due = due
	rec.Status.NextCheckAt = provider.Time{Time: due}
	rec.Status.TTLMS = ttl.Milliseconds()
}

// plan queues the next probe: the one that was asked for meanwhile, or otherwise the one that
// is due by cadence.
func (s *Scheduler) plan(e *entry, now time.Time) {
	owed := e.want.owed
	e.want.owed = false
	if owed && s.declined(e, now, e.want.force) == "" {
		s.ask(e, want{}, now)
		return
	}
	s.queue.put(e)
	s.nudge()
}

// beginAgain replaces an aborted probe. Callers are still owed the one that they asked for.
func (s *Scheduler) beginAgain(f *inFlight, now time.Time) {
	e := f.e
	e.want = e.want.and(f.want)
	owed := e.want.owed
	e.want.owed = false
	if owed && s.declined(e, now, e.want.force) == "" {
		s.ask(e, want{facts: true}, now)
		return
	}
	s.askInTime(e, now)
}

// hand gives a free slot in a lane to the entry that has waited longest.
func (s *Scheduler) hand(l *lane, now time.Time) {
	for l.busy < s.o.Lane && len(l.waiting) > 0 {
		e := l.waiting[0]
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
		if e.waiting && !e.removed {
			s.await(e, false)
			s.start(e, now)
		}
	}
}

// sweepOne counts the first results towards Swept.
func (s *Scheduler) sweepOne(e *entry) {
	if !e.sweeping {
		return
	}
	e.sweeping = false
	if s.unswept--; s.unswept == 0 {
		s.logSweep()
		close(s.swept)
	}
}

// logSweep logs in one line what the first sweep found.
func (s *Scheduler) logSweep() {
	counts := map[provider.State]int{}
	for _, e := range s.entries {
		counts[e.known.row.State]++
	}
	args := []any{"providers", len(s.entries)}
	for _, state := range provider.States {
		if n := counts[state]; n > 0 {
			args = append(args, strings.ToLower(string(state)), n)
		}
	}
	s.log.Info("probed every provider once", args...)
}

// nudge makes Run check the queue again if it would do so too late by itself. That is rare, and
// waking Run costs more than everything else about a queue: each probe that ends plans the
// next, and begins one that is due if some are behind.
func (s *Scheduler) nudge() {
	if s.behind {
		return
	}
	if now := time.Now(); !now.Add(s.untilLook(now)).Before(s.looks) {
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
