package schedule

import (
	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// put hands an entry's row to the store, and logs what changed.
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
		Diagnostics: e.diagnostics, Event: event,
	}
}

// logEvent says what changed; nil is nothing.
func (s *Scheduler) logEvent(e *entry, event *provider.Event) {
	if event == nil {
		return
	}
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

// diagnose completes what a probe noted of each layer with how it was judged.
func (e *entry) diagnose(o *probe.Observation) *provider.Diagnostics {
	d := o.Evidence
	d.ID, d.Kind, d.Endpoint = e.rec.Status.ID, e.rec.Status.Kind, e.rec.Status.Endpoint
	d.Feed = e.feed
	d.BeganAt = provider.Time{Time: o.Began}
	d.TookMS = provider.Milliseconds(o.Took)
	d.Verdict = provider.Verdict{
		Saw: o.Saw, Definite: judge.Definite(o, e.cfg), Doubts: e.rec.Run.Doubts, Fall: e.cfg.Fall,
	}
	e.show(&d.Verdict)
	return &d
}

// show makes a verdict say what the row says now.
func (e *entry) show(v *provider.Verdict) {
	st := &e.rec.Status
	v.State, v.Reason, v.Detail, v.Doubt, v.Hint, v.NextCheck = st.State, st.Reason, st.Detail, st.Doubt, st.Hint, st.NextCheckAt
}
