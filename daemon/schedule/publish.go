package schedule

import (
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// put makes a record what is known of an entry, passes its row to the store, and logs what
// changed.
func (s *Scheduler) put(e *entry, rec *judge.Record, event *provider.Event) {
	s.attribute(event, time.Now())
	s.logEvent(e, event)
	u := e.update(rec, event)
	if shown := s.o.Store.View().Row(e.cfg.ID); event == nil && shown != nil {
		u.Durable = shown.Status.State != u.Status.State || shown.Status.Reason != u.Status.Reason
	}
	e.known.keep(rec, s.o.Store.Put(u))
	s.watchLimits(e)
}

// update is what the store needs to know of an entry.
func (e *entry) update(rec *judge.Record, event *provider.Event) store.Update {
	rec.Status.Client = e.cfg.ClientAt(rec.Status.Endpoint)
	return store.Update{
		Status: rec.Status, Models: rec.Models, ModelsAt: provider.Time{Time: rec.ModelsAt},
		Diagnostics: e.diagnostics, Event: event,
	}
}

// logEvent logs what changed, unless the event is nil.
func (s *Scheduler) logEvent(e *entry, event *provider.Event) {
	if event == nil {
		return
	}
	args := []any{"id", event.ID, "from", event.From, "to", event.To, "reason", event.Reason}
	if event.Detail != "" {
		args = append(args, "detail", event.Detail)
	}
	if event.Action != nil {
		args = append(args, "after", event.Action.Name, "by", event.Action.By)
	}
	level := hclog.Info
	if !e.probed { // the first sweep has a line of its own
		level = hclog.Debug
	}
	s.log.Log(level, "provider changed", args...)
}

// diagnose completes what a probe noted of each layer with the verdict.
func (e *entry) diagnose(o *probe.Observation, rec *judge.Record) *provider.Diagnostics {
	d := o.Evidence
	d.ID, d.Kind, d.Endpoint = rec.Status.ID, rec.Status.Kind, rec.Status.Endpoint
	d.Feed = e.feed
	d.BeganAt = provider.Time{Time: o.Began}
	d.TookMS = provider.Milliseconds(o.Took)
	d.Verdict = provider.Verdict{
		Saw: o.Saw, Definite: rec.Definite(o, e.cfg), Doubts: int(rec.Run.Doubts), Fall: e.cfg.Fall,
	}
	show(&d.Verdict, &rec.Status)
	return &d
}

// show copies the row into a verdict.
func show(v *provider.Verdict, st *provider.Status) {
	v.State, v.Reason, v.Detail, v.Doubt, v.Hint, v.NextCheck = st.State, st.Reason, st.Detail, st.Doubt, st.Hint, st.NextCheckAt
}
