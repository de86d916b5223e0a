package schedule

import (
	"context"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// A flight is a probe under way.
type flight struct {
	e          *entry
	prober     Prober
	lane       *lane
	epoch      int
	reports    int    // of callers when it began
	generation uint64 // the newest refresh when it began
	asked      bool   // somebody is owed it
	force      bool   // although the provider asked us to wait
}

// land takes in what a probe saw: judged, planned, stored; then the lane goes
// to whoever waits for it.
func (s *Scheduler) land(f flight, o probe.Observation, ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.watchClock(now)
	e := f.e
	e.inFlight, e.cancel = false, nil
	s.count.InFlight--
	f.lane.busy--
	defer s.hand(f.lane, now)

	if e.removed || e.epoch != f.epoch {
		f.prober.Close() // a reload took its place
	}
	if s.ctx.Err() != nil || e.removed {
		s.discard(e)
		return
	}
	switch {
	case e.rec.Status.Paused:
		s.discard(e)
		return
	case e.epoch != f.epoch || ctx.Err() != nil || o.Saw == "": // cut short: begin again
		s.discard(e)
		owed, force := e.asked || f.asked, e.force || f.force
		e.asked = false
		if owed && s.declined(e, now, force) == "" { // whoever asked is owed a probe still
			e.facts, e.force = true, force
			s.ask(e, now)
			return
		}
		s.askInTime(e, now)
		return
	}
	first := !e.probed
	s.settle(f, o)
	s.plan(e, now)
	if first {
		e.probed = true
		s.sweepOne(e)
	}
}

// settle judges an observation and hands the row to the store.
func (s *Scheduler) settle(f flight, o probe.Observation) {
	e := f.e
	s.tally(e, &o)
	standing := s.stand(e, &o) // which may change the record
	rec, event := judge.Overtaken(e.rec, o, &e.cfg), (*provider.Event)(nil)
	if f.reports == e.reports || judge.Confirms(e.rec, o) { // or else a caller has met something since it began
		rec, event = judge.Judge(e.rec, o, &e.cfg, standing)
	}
	rec.Status.Generation = f.generation
	e.rec = rec
	due, ttl := next(&e.rec, &e.cfg, o.Began, s.o.Random(), !e.probed)
	e.due = due
	e.rec.Status.NextCheckAt = provider.Time{Time: due}
	e.rec.Status.TTLMS = ttl.Milliseconds()
	e.evidence = e.diagnostics(&o)
	s.log.Debug("probed provider", "id", e.cfg.ID, "saw", o.Saw, "detail", o.Detail,
		"latency", o.Latency, "took", o.Took, "doubts", e.rec.Run.Doubts, "generation", f.generation)
	s.put(e, event)
}

// put publishes an entry's row, and logs what changed.
func (s *Scheduler) put(e *entry, event *provider.Event) {
	s.logEvent(e, event)
	u := e.update(event)
	if shown := s.o.Store.View().Row(e.cfg.ID); event == nil && shown != nil {
		u.Durable = shown.Status.State != u.Status.State || shown.Status.Reason != u.Status.Reason
	}
	s.o.Store.Put(u)
}

// update is what the store is told of an entry.
func (e *entry) update(event *provider.Event) store.Update {
	e.rec.Status.Client = e.cfg.ClientAt(e.rec.Status.Endpoint)
	return store.Update{
		Status: e.rec.Status, Models: e.rec.Models, ModelsAt: provider.Time{Time: e.rec.ModelsAt},
		Diagnostics: e.evidence, Event: event,
	}
}

// logEvent says what changed; nil is nothing.
func (s *Scheduler) logEvent(e *entry, event *provider.Event) {
	if event != nil {
		args := []any{"id", event.ID, "from", event.From, "to", event.To, "reason", event.Reason}
		if event.Detail != "" {
			args = append(args, "detail", event.Detail)
		}
		level := hclog.Info
		if !e.probed { // the first sweep has a line of its own
			level = hclog.Debug
		}
		s.log.Log(level, "provider changed", args...)
	}
}

// diagnostics completes the probe's evidence with how it was judged.
func (e *entry) diagnostics(o *probe.Observation) *provider.Diagnostics {
	d := o.Evidence
	st := &e.rec.Status
	d.ID, d.Kind, d.Endpoint = st.ID, st.Kind, st.Endpoint
	d.Feed = e.feed
	d.BeganAt = provider.Time{Time: o.Began}
	d.TookMS = float64(o.Took.Microseconds()) / 1000
	d.Verdict = provider.Verdict{
		State: st.State, Reason: st.Reason, Saw: o.Saw, Detail: st.Detail, Doubt: st.Doubt, Hint: st.Hint,
		Definite: judge.Definite(o, &e.cfg), Doubts: e.rec.Run.Doubts, Fall: e.cfg.Fall, NextCheck: st.NextCheckAt,
	}
	return &d
}

// plan queues the next probe: the one that was asked for meanwhile, or else
// the one that is due by cadence.
func (s *Scheduler) plan(e *entry, now time.Time) {
	asked := e.asked
	e.asked = false
	if asked && s.declined(e, now, e.force) == "" {
		s.ask(e, now)
		return
	}
	s.queue.put(e)
	s.nudge()
}

// hand gives a free place in a lane to the entry that waited longest.
func (s *Scheduler) hand(l *lane, now time.Time) {
	for l.busy < s.o.Lane && len(l.waiting) > 0 {
		e := l.waiting[0]
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
		if e.waiting && !e.removed {
			e.waiting = false
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

// logSweep says in one line what the first look at everybody found.
func (s *Scheduler) logSweep() {
	counts := map[provider.State]int{}
	for _, e := range s.entries {
		counts[e.rec.Status.State]++
	}
	args := []any{"providers", len(s.entries)}
	for _, state := range provider.States {
		if n := counts[state]; n > 0 {
			args = append(args, strings.ToLower(string(state)), n)
		}
	}
	s.log.Info("asked every provider once", args...)
}

// nudge makes Run look at the queue again.
func (s *Scheduler) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
