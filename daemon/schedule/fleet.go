package schedule

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/store/provider"
)

// A Turn is who probes a provider that members of a fleet share.
type Turn uint8

const (
	Here      Turn = iota // this machine, as without a fleet: it has the claim, or the provider is not shared
	Elsewhere             // another member; here only if something asks for it
	Alone                 // this machine, more slowly, because the fleet cannot be asked
)

// How a row became known.
type How uint8

const (
	Probed   How = iota // by an own probe
	Reported            // by a caller's report
)

// A Fleet is told what happens here. Its methods are called with the scheduler's lock held: they
// do not block and do not call back.
type Fleet interface {
	// Saw is called after an own probe that began at began, and after a report. The row is
	// read-only.
	Saw(id string, row *provider.Status, models []provider.Model, how How, began time.Time)
	// Asked is called when somebody wants a probe of a provider whose turn is Elsewhere. Without
	// a Told that answers that generation within [AnswerWithin], it is probed here.
	Asked(id string, generation uint64)
	// Disagrees is called when own definite evidence begins to contradict what was told, or
	// no longer does.
	Disagrees(id string, ours bool)
}

// A Told is what another member's probe found.
type Told struct {
	By      string
	State   provider.State
	Reason  provider.Reason
	Version string
	Latency time.Duration
	Age     time.Duration    // since that probe began
	Heard   time.Duration    // since that member said so
	RetryIn time.Duration    // 0: none
	Models  []provider.Model // nil: unknown; what is known stays
	Answers uint64           // the newest generation of this machine that it answers; 0: none
}

const (
	// AnswerWithin is how long a refresh waits for another member's probe.
	AnswerWithin = 2 * time.Second
	// toldFor is how long another member's word counts after it was heard. Then the row is
	// stale, and the provider is probed here.
	toldFor = 150 * time.Second
)

// A share is what the scheduler knows of a provider that the fleet may share. Only such
// providers have one.
type share struct {
	turn    Turn
	stretch float64
	told    *judge.Told // the last; nil: none, or it no longer counts
	heard   time.Time   // when it was told
	asked   *time.Timer // until the provider is probed here; nil: nobody waits for another member
	owes    want        // what that probe must do
	newest  uint64      // generation that was asked for
	since   time.Time   // when it was asked for
	ends    *time.Timer // of a wait; nil: there is none
	differs bool        // Fleet knows of a dispute
}

// SetTurn says who probes a provider from now on. stretch multiplies the intervals of Alone; it
// is at least 1.
func (s *Scheduler) SetTurn(id string, turn Turn, stretch float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e == nil {
		return
	}
	sh := s.share(e)
	was := *sh
	sh.turn, sh.stretch = turn, max(1, stretch)
	if was.turn == turn && was.stretch == sh.stretch {
		return
	}
	now := time.Now()
	if turn != Elsewhere {
		s.stopAsking(e, sh, now)
	}
	if e.known.row.Paused || e.probe != nil || e.waiting || e.want.owed || !e.isKnown() {
		return // the next probe is planned when that one ends
	}
	s.replan(e, was.turn, now)
	s.believe(e, now) // what was told before it was that member's turn
}

// replan decides again when an entry is due, after its turn changed.
func (s *Scheduler) replan(e *entry, was Turn, now time.Time) {
	rec, sh := e.known.record(), s.shares[e]
	checked := now.Add(rec.Status.CheckedAt.Sub(now)) // by the monotonic clock from here on
	if sh.turn == Alone && was == Elsewhere {         // not all members at once
		wait := time.Duration(float64(cadence(&rec, e.cfg, now)) * sh.stretch)
		if sh.stretch == 1 { // if few share it, its row does not become older than if the prober were silent
			wait = min(wait, max(0, sh.heard.Add(toldFor).Sub(now)))
		}
		e.due = later(now.Add(time.Duration(float64(wait)*s.o.Random())), s.soonest(e, now))
		if retry := rec.Status.RetryAt.Time; retry.After(e.due) {
			e.due = anchored(retry, now).Add(time.Duration(s.o.Random() * float64(minGap)))
		}
		rec.Status.NextCheckAt = provider.Time{Time: e.due}
	} else {
		s.schedule(e, &rec, checked)
		e.due = later(e.due, s.soonest(e, now))
	}
	s.put(e, &rec, nil)
	s.queue.put(e)
	s.nudge()
}

// isKnown reports whether this process, or another member since it began, has probed the
// provider.
func (e *entry) isKnown() bool {
	return e.known.row.Source != provider.FromRestored && !e.known.row.CheckedAt.IsZero()
}

// isTold reports whether the row is another member's word.
func (e *entry) isTold() bool { return e.known.row.Source == provider.FromFleet }

// Tell passes on what another member's probe found.
func (s *Scheduler) Tell(id string, t Told) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, now := s.entries[id], time.Now()
	if e == nil || t.Age < 0 || t.Heard < 0 || t.RetryIn < 0 {
		return
	}
	told := &judge.Told{
		By: t.By, Reason: t.Reason, At: now.Add(-t.Age), Latency: t.Latency, Version: t.Version,
		Models: t.Models, Generation: t.Answers,
	}
	if t.RetryIn > 0 {
		told.RetryAt = now.Add(t.RetryIn)
	}
	sh := s.share(e)
	sh.told, sh.heard = told, now.Add(-t.Heard)
	s.believe(e, now)
}

// believe takes what was last told, if it still counts.
func (s *Scheduler) believe(e *entry, now time.Time) (taken bool) {
	sh := s.shares[e]
	if sh == nil || sh.turn != Elsewhere || sh.told == nil || now.Sub(sh.heard) > toldFor || s.machine.Out() && e.isRemote() {
		return false
	}
	rec, event, taken := judge.ApplyTold(e.known.record(), sh.told, e.cfg, now)
	answered := taken && sh.asked != nil && sh.told.Generation >= sh.newest
	if answered {
		sh.asked.Stop()
		sh.asked, sh.owes = nil, want{}
	}
	if taken {
		if !e.want.owed && !e.waiting && e.probe == nil {
			s.schedule(e, &rec, sh.told.At)
			s.queue.put(e)
			s.nudge()
		}
		if d := e.diagnostics; d != nil {
			next := *d // readers have the old one
			show(&next.Verdict, &rec.Status)
			e.diagnostics = &next
		}
	}
	s.put(e, &rec, event)
	s.tellDispute(e, sh)
	if taken {
		s.sweepOne(e)
	}
	return taken
}

// Unsay says that what another member told no longer counts. The row keeps its age until an own
// probe replaces it.
func (s *Scheduler) Unsay(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	sh := s.shares[e]
	if sh == nil {
		return
	}
	sh.told = nil
	rec := judge.Unsay(e.known.record())
	e.known.Basis = rec.Basis
	s.stopAsking(e, sh, time.Now())
	s.tellDispute(e, sh)
}

// Hold keeps a provider from being probed, because another member was told to wait; in is how
// long from now on. 0 ends it.
func (s *Scheduler) Hold(id string, in time.Duration, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[id]; e != nil {
		now := time.Now()
		s.hold(e, s.share(e), in, by, now)
	}
}

func (s *Scheduler) hold(e *entry, sh *share, in time.Duration, by string, now time.Time) {
	if sh.ends != nil {
		sh.ends.Stop()
		sh.ends = nil
	}
	if in > 0 {
		var timer *time.Timer
		timer = time.AfterFunc(in, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if sh.ends == timer && s.shares[e] == sh && (s.ctx == nil || s.ctx.Err() == nil) {
				s.hold(e, sh, 0, "", time.Now())
			}
		})
		sh.ends = timer
	}
	rec, event := judge.ApplyHold(e.known.record(), now.Add(max(0, in)), by, e.cfg, now)
	e.known.keep(&rec, nil)
	if !rec.Status.Paused && e.probe == nil && !e.waiting && (!e.want.owed || s.declined(e, now, e.want.force) != "") {
		e.want.owed = false
		if retry := rec.Status.RetryAt.Time; retry.After(e.due) || e.index < 0 {
			e.due = later(e.due, anchored(retry, now).Add(time.Duration(s.o.Random()*float64(minGap))))
			s.queue.put(e)
		} else if in == 0 && e.isKnown() {
			s.schedule(e, &rec, now.Add(rec.Status.CheckedAt.Sub(now)))
			e.due = later(e.due, s.soonest(e, now))
			s.queue.put(e)
		}
		rec.Status.NextCheckAt = provider.Time{Time: e.due}
		rec.Status.TTLMS = max(rec.Status.TTLMS, timeToLive(&rec, e.cfg, now).Milliseconds())
		s.sweepOne(e)
		s.nudge()
	}
	s.put(e, &rec, event)
}

// CheckSoon asks for one own probe, although another member probes.
func (s *Scheduler) CheckSoon(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, now := s.entries[id], time.Now(); e != nil && s.declined(e, now, false) == "" {
		s.ask(e, want{facts: true}, now)
	}
}

// share is the share of an entry, which is made if there is none.
func (s *Scheduler) share(e *entry) *share {
	sh := s.shares[e]
	if sh == nil {
		if s.shares == nil {
			s.shares = map[*entry]*share{}
		}
		sh = &share{stretch: 1}
		s.shares[e] = sh
	}
	return sh
}

// unshare forgets what the fleet said of an entry that is another server, has another key, or
// is removed.
func (s *Scheduler) unshare(e *entry) {
	sh := s.shares[e]
	if sh == nil {
		return
	}
	for _, timer := range []*time.Timer{sh.asked, sh.ends} {
		if timer != nil {
			timer.Stop()
		}
	}
	delete(s.shares, e)
}

// isElsewhere reports whether another member probes a provider, and this machine has no reason
// to do so as well.
func (s *Scheduler) isElsewhere(e *entry) bool {
	sh := s.shares[e]
	if sh == nil || sh.turn != Elsewhere {
		return false
	}
	rec := e.known.record()
	return rests(&rec, e.cfg)
}

// rests reports whether nothing calls for own probes while another member probes.
func rests(rec *judge.Record, p *config.Provider) bool {
	return !rec.Disputed() && !rec.InDoubt(p) && rec.Report.Answered()
}

// inquire asks for a probe that begins from now on: another member's, if it is its turn and it
// answers in time, otherwise an own one.
func (s *Scheduler) inquire(e *entry, w want, generation uint64, now time.Time) {
	if w.force || w.fresh || s.o.Fleet == nil || e.want.owed || e.waiting || !s.isElsewhere(e) {
		s.ask(e, w, now)
		return
	}
	sh := s.shares[e]
	sh.owes, sh.newest, sh.since = sh.owes.and(w), generation, now
	if sh.asked == nil {
		var timer *time.Timer
		timer = time.AfterFunc(AnswerWithin, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if sh.asked == timer {
				s.stopAsking(e, sh, time.Now())
			}
		})
		sh.asked = timer
	} else {
		s.count.Coalesced++
	}
	s.o.Fleet.Asked(e.cfg.ID, generation)
}

// stopAsking probes here what was to be probed by another member.
func (s *Scheduler) stopAsking(e *entry, sh *share, now time.Time) {
	if sh.asked == nil {
		return
	}
	sh.asked.Stop()
	w := sh.owes
	sh.asked, sh.owes = nil, want{}
	if !e.removed && s.declined(e, now, w.force) == "" && (s.ctx == nil || s.ctx.Err() == nil) {
		s.ask(e, w, now)
	}
}

// isAsked reports whether another member was asked for a probe since then.
func (s *Scheduler) isAsked(e *entry, since time.Time) bool {
	sh := s.shares[e]
	return sh != nil && sh.asked != nil && !sh.since.Before(since)
}

// pace adapts to the fleet when the probe after that of began is due, and the row's ttl.
func (sh *share) pace(rec *judge.Record, p *config.Provider, began, due time.Time, ttl time.Duration, random float64) (time.Time, time.Duration) {
	retry := rec.Status.RetryAt.Time
	switch {
	case sh == nil || sh.turn == Here || retry.After(due):
	case sh.turn == Alone:
		ttl += time.Duration(float64(cadence(rec, p, began)) * (sh.stretch - 1))
		due = began.Add(time.Duration(float64(due.Sub(began)) * sh.stretch))
	case rests(rec, p):
		heard := later(began, sh.heard)
		due = heard.Add(toldFor + time.Duration(random*float64(minGap)))
		ttl = heard.Sub(began) + toldFor
		if retry.After(began) {
			ttl = max(ttl, timeToLive(rec, p, began))
		}
	}
	return due, ttl
}

// saw tells the fleet what was learned here.
func (s *Scheduler) saw(e *entry, how How, began time.Time) {
	if s.o.Fleet == nil {
		return
	}
	rec := e.known.record()
	s.o.Fleet.Saw(e.cfg.ID, judge.OwnWord(&rec), rec.Models, how, began)
	if sh := s.shares[e]; sh != nil {
		s.tellDispute(e, sh)
	}
}

// tellDispute tells the fleet if own evidence begins to contradict what was told, or ends.
func (s *Scheduler) tellDispute(e *entry, sh *share) {
	if differs := e.known.Disputed(); s.o.Fleet != nil && differs != sh.differs {
		sh.differs = differs
		s.o.Fleet.Disagrees(e.cfg.ID, differs)
	}
}
