package schedule

import (
	"errors"
	"iter"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/daemon/outage"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// machineState asks daemon/outage how to judge a probe, and carries out its verdict, which
// may change the record.
func (s *Scheduler) machineState(e *entry, o *probe.Observation) judge.MachineState {
	if !e.isRemote() {
		return judge.MachineFine
	}
	was := e.witness
	e.witness = was.Take(o, e.host, s.o.Online)
	var verdict outage.Verdict
	s.machine, verdict = s.machine.Probed(was, e.witness, outage.Others{Remotes: s.remotes(o.Began), Online: s.o.Online}, o.Began)
	s.carryOut(verdict, o.Ended(), o.Began)
	return verdict.Machine
}

// remotes are the remote providers that may be probed, as witnesses of this machine.
func (s *Scheduler) remotes(now time.Time) iter.Seq[outage.Remote] {
	return func(yield func(outage.Remote) bool) {
		for _, e := range s.entries {
			if e.isRemote() && s.declined(e, now, false) == "" &&
				!yield(outage.Remote{Host: e.host, Witness: e.witness}) {
				return
			}
		}
	}
}

// lookAtRoute notices that the network is back. The caller holds mu.
func (s *Scheduler) lookAtRoute(now time.Time) {
	var verdict outage.Verdict
	s.machine, verdict = s.machine.LookAtRoute(s.o.Online)
	s.carryOut(verdict, now, now)
}

// carryOut applies a verdict about this machine: when it was found, and when what showed it
// began. Providers that were probed since then need not be probed again.
func (s *Scheduler) carryOut(verdict outage.Verdict, now, began time.Time) {
	if verdict.Lost != "" {
		s.lose(verdict.Lost, now)
	}
	if verdict.Back != "" {
		s.regain(verdict.Back, now, began)
	}
	if verdict.Anew != "" {
		s.log.Warn("probing all providers again", "reason", verdict.Anew)
		s.askAnew(now)
	}
	if verdict.Ask {
		s.askRemote(began)
	}
}

// lose makes every remote provider's row UNKNOWN, with one event for all.
func (s *Scheduler) lose(why string, now time.Time) {
	var ids []string
	for _, id := range s.order {
		st := s.entries[id].known.row
		if !s.entries[id].isRemote() || st.Paused || st.RetryAt.After(now) {
			continue // it is not probed, so an outage of this machine does not make it less known
		}
		ids = append(ids, id)
	}
	m, event := s.machine.Lose(why, ids, s.o.Online(""), now)
	s.machine = m
	for _, id := range ids {
		e := s.entries[id]
		rec := judge.ApplyOutage(e.known.record(), why, e.cfg, now)
		s.put(e, &rec, nil)
	}
	s.tell(hclog.Warn, event)
}

// regain ends an outage: every provider that was not judged meanwhile is probed at once,
// except those that have been probed since.
func (s *Scheduler) regain(why string, now, began time.Time) {
	m, event := s.machine.Regain(why, s.unknown(), now)
	s.machine = m
	s.tell(hclog.Info, event)
	s.askRemote(began)
}

// unknown are the ids of the providers whose row says offline.
func (s *Scheduler) unknown() []string {
	var ids []string
	for _, id := range s.order {
		if s.entries[id].known.row.Reason == provider.Offline {
			ids = append(ids, id)
		}
	}
	return ids
}

// resumeOutage continues an outage in which the daemon was restarted: there will be one event
// of its end for all, and the stored events say what was told of each before it.
func (s *Scheduler) resumeOutage(now time.Time) {
	ids := s.unknown()
	if len(ids) == 0 {
		return
	}
	last, err := s.lastEvents()
	if err != nil {
		s.log.Warn("what was known before the outage cannot be read", "error", err)
	}
	since := now
	for _, id := range ids {
		e := s.entries[id]
		if was := last[id]; was != nil {
			e.known.Basis = judge.Remind(e.known.record(), was).Basis
		}
		if began := e.known.row.Since.Time; !began.IsZero() {
			since = began
		}
	}
	s.machine = s.machine.Resume(since, s.o.Online(""), now)
}

// lastEvents returns the last event of each id, if it was certainly the last one: never one
// before a gap.
func (s *Scheduler) lastEvents() (map[string]*provider.Event, error) {
	last := map[string]*provider.Event{}
	for since := uint64(0); ; {
		events, err := s.o.Store.Events(since, 0)
		var gap *store.GapError
		switch {
		case errors.As(err, &gap):
			clear(last)
			since = gap.Last
			continue
		case err != nil || len(events) == 0:
			return last, err
		}
		for i := range events {
			last[events[i].ID] = &events[i]
		}
		since = events[len(events)-1].Seq
	}
}

// tell publishes an event of this machine, unless it is nil.
func (s *Scheduler) tell(level hclog.Level, event *provider.Event) {
	if event == nil {
		return
	}
	s.log.Log(level, "this machine changed", "to", event.To, "reason", event.Reason, "detail", event.Detail,
		"providers", len(event.IDs))
	s.o.Store.Note(*event)
}

// askRemote asks for probes of the remote providers whose last probe began before now.
func (s *Scheduler) askRemote(now time.Time) {
	for _, e := range s.entries {
		if e.isRemote() && s.began(e).Before(now) && s.declined(e, now, false) == "" && !s.believe(e, now) {
			s.askInTime(e, now)
		}
	}
}

// askAnew asks for probes of all providers, local ones too, and restarts those in progress.
func (s *Scheduler) askAnew(now time.Time) {
	for _, e := range s.entries {
		e.witness = outage.Witness{}
		if e.probe != nil {
			e.probe.cancel() // complete restarts it
		} else if s.declined(e, now, false) == "" && !e.waiting {
			s.askInTime(e, now)
		}
	}
}

// isRemote reports whether the provider is probed over the network.
func (e *entry) isRemote() bool { return e.host != "" }

// someRemote reports whether any remote provider is probed.
func (s *Scheduler) someRemote() bool {
	for _, e := range s.entries {
		if e.isRemote() && !e.known.row.Paused {
			return true
		}
	}
	return false
}
