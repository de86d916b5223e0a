package judge

import (
	"cmp"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// A claim is what a witness says of a provider; its zero value is no claim.
type claim struct {
	reason provider.Reason
	detail string
}

func (c claim) none() bool { return c.reason == "" }

// holds is what holds for the provider. It believes the first witness with a claim, in their
// order of precedence. A new witness is a line here.
func (r *Record) holds() claim {
	return cmp.Or(
		r.Pause.stopped(),                  // a person said so
		r.Machine.claim,                    // this machine cannot tell now
		r.Fleet.held(),                     // another machine was told to wait, for all that use this key
		r.Probes.broke,                     // the last probe failed by itself, and saw nothing
		r.whileInDoubt(),                   // what has been seen since is not enough
		r.Report.claim,                     // a caller met something that no probe has overruled
		r.Vendor.overlay(r.Probes.settled), // what our probes or another machine's found, with what the vendor reports
		r.Pause.unseen(),                   // not probed since it was resumed
		r.said,                             // what was known before this process began
	)
}

// whileInDoubt keeps the row as it is while it is in doubt.
func (r *Record) whileInDoubt() claim {
	if r.Run.Doubt == nil {
		return claim{}
	}
	return r.said
}

// shown is what a row says before it is derived again, without what users met.
type shown struct {
	state    provider.State
	reason   provider.Reason
	endpoint string
	hint     bool
	withheld bool
}

// shown uncovers the row, so that the next change goes beneath what users met.
func (r *Record) shown() shown {
	r.uncover()
	st := &r.Status
	return shown{st.State, st.Reason, st.Endpoint, st.Hint != "", st.KeyWithheld}
}

// derive makes the row from what the witnesses say, and returns an event if it differs from
// the last event. was is the row before.
func (r *Record) derive(was shown, p *config.Provider, now time.Time) *provider.Event {
	st, before := &r.Status, r.said.reason
	if r.said = r.holds(); r.said.reason != before || r.Stirred.IsZero() {
		r.Stirred = now
	}
	if state := stateOf(r.said.reason); state != "" {
		st.State = state
	} else if was.reason == provider.Offline { // it stays, and an outage of ours is none of it
		st.State = r.toldOfItself()
	}
	st.Reason = r.said.reason
	if st.Reason != was.reason || st.Endpoint != was.endpoint || was.hint || r.Probes.hint != "" || st.KeyWithheld || was.withheld { // otherwise there is still none
		st.Hint = r.hint(p)
	}
	st.Doubt = r.Run.Doubt
	st.Paused = r.Pause.Paused
	st.By = r.Fleet.cited(st.Source)
	st.Incident = r.Vendor.incident
	st.Reported = r.Report.met
	st.RetryAt = provider.Time{Time: later(later(r.Probes.retryAt, r.Report.retryAt()), r.Fleet.retryAt())}
	if st.Reason == provider.VendorIncident && st.Doubt == nil {
		st.LastError = join(string(st.Reason), r.said.detail)
	}
	moved := st.State != was.state
	if moved || st.Since.IsZero() && st.Reason != provider.NotChecked {
		st.Since = provider.Time{Time: now}
	}
	begins := r.flaps.watch(moved && ownChange(was.state, was.reason, st.Reason), now)
	st.Detail = r.flaps.mark(r.said.detail)
	if r.Limits != nil || st.Limits != nil {
		st.Limits = r.Limits.shown(p, now)
	}
	r.cover(p, now)
	return r.tell(begins, now)
}

// derived is a record with its row derived again, and the event.
func (r Record) derived(was shown, p *config.Provider, now time.Time) (Record, *provider.Event) {
	event := r.derive(was, p, now)
	return r, event
}

// hint is what to do next: about what holds or, if nothing needs to be done about that, about
// a key that was withheld.
func (r *Record) hint(p *config.Provider) string {
	own := ""
	if r.said.reason == r.Probes.settled.reason {
		own = r.Probes.hint
	}
	reason, missing := r.Status.Reason, ""
	if reason == provider.ModelMissing || reason == provider.NoModels && own == "" {
		if missing = r.missingModel(p); missing != "" { // if it has no models, the required ones are missing
			reason = provider.ModelMissing
		}
	}
	text := hint(reason, own, missing, p, r.Status.Endpoint)
	if text == "" && r.Status.KeyWithheld {
		text = hint(provider.KeyWithheld, "", "", p, r.Status.Endpoint)
	}
	return text
}

// missingModel is the first missing model; empty if the list of models is unknown.
func (r *Record) missingModel(p *config.Provider) string {
	if r.Models == nil {
		return ""
	}
	for _, missing := range missingModels(p, r.Models) {
		return missing
	}
	return ""
}

// hint is what to do next about a provider that is shown at an endpoint: its own hint, or
// that of its kind or of the reason.
func hint(reason provider.Reason, own, model string, p *config.Provider, endpoint string) string {
	return provider.Hint(reason, provider.Subject{Own: own, Hints: p.Hints, ID: p.ID, Endpoint: endpoint, KeyEnv: p.KeyMissing, Model: model})
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
