// Package judge decides what the witnesses of a provider mean together. What each of them
// said is kept apart, in a value and a file of its own: our probes ([Probes]), callers
// ([Report], or [Hearsay] if they are not administrators), the vendor's status feed
// ([Vendor]), other machines ([Fleet]), this machine ([Machine]), and a person ([Pause]). The row is derived from all
// of them, in one order of precedence (see row.go). An event is the difference between the
// last event and what holds now (see event.go).
//
// It is pure: it reads no clock, does no I/O, and does not modify its arguments. The only
// exception is the record that [Judge] updates with what a probe saw: copying it for each
// probe would double the size of the stack.
// It imports the values it judges, from daemon/probe and daemon/config, and the vocabulary.
// What a probe saw is decided in daemon/probe, whether this machine is to blame in
// daemon/outage, and when to probe again in daemon/schedule.
package judge

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A Record is what is known of one provider: its row, and everything that the row is derived
// from.
type Record struct {
	Status provider.Status // the row
	Basis
}

// A Basis is everything that a row is derived from.
type Basis struct {
	Evidence
	Facts

	// Stirred is when the row got its reason or, if later, when somebody last asked for it.
	// What has not changed for long after that may never change.
	Stirred time.Time

	said  claim // what the row says, without the mark of flapping and what users met
	told  told
	flaps flaps
}

// Evidence is what the witnesses said, each separately.
type Evidence struct {
	Probes  Probes
	Run     Run // how often in a row probes or callers saw the same
	Report  Report
	Vendor  Vendor
	Machine Machine
	Pause   Pause
	Hearsay *Hearsay
	Fleet   *Fleet
	Limits  *Limits
}

// A MachineState is the state of this machine while a probe is judged.
type MachineState uint8

const (
	// MachineFine: what the probe saw counts for the provider.
	MachineFine MachineState = iota
	// MachineInDoubt: this machine may be at fault, which is being checked. Until then the
	// row stays as it is.
	MachineInDoubt
	// MachineOut: this machine cannot tell about remote providers.
	MachineOut
)

// Judge updates a record with what one of our probes saw while this machine was in that
// state. The event is nil if neither state nor reason changed. Its time is the end of the
// probe, when the change was learned, so that the times of events are in order.
func Judge(r *Record, o *probe.Observation, p *config.Provider, machine MachineState) *provider.Event {
	was, needs := r.shown(), r.needs(p)
	r.Fleet = r.Fleet.passed(o.Began)
	if o = r.refused(o); o.Refusal {
		needs.fall = p.Fall
	}
	r.Run = r.Run.seen(o, &r.Probes, p)
	r.Probes.Saw = o.Saw
	r.learn(o, p)
	if o.Saw.Healthy() {
		r.Status.LastOKAt = r.Status.CheckedAt
	}
	if machine != MachineInDoubt { // which settles nothing
		r.Report = r.Report.probed(o)
		r.Status.Source, r.Status.By = r.Report.source(o), nil
	} else if r.Status.Source == provider.FromRestored {
		r.Status.Source = provider.FromProbe
	}
	switch machine {
	case MachineOut:
		r.losesSight(r.Machine.met(o.Detail))
		r.Run.Failures = 0
	case MachineInDoubt:
		r.Run.Doubt = &provider.Doubt{Saw: o.Saw, Detail: o.Detail}
		r.Probes.broke = claim{}
	default:
		r.weigh(o, needs, p)
	}
	event := r.derive(was, p, o.Ended())
	r.noteError()
	return event
}

// weigh settles what a probe saw, or puts the row in doubt.
func (r *Record) weigh(o *probe.Observation, needs needs, p *config.Provider) {
	if o.Saw == provider.ProbeFailed {
		r.Probes = r.Probes.broken(o)
		r.Status.LatencyMS = 0
		return
	}
	found := claimOf(o, &r.Facts, int(r.Run.Slows), p)
	if r.Run.Doubt = needs.missing(found, o, &r.Evidence, p); r.Run.Doubt != nil {
		r.Probes.broke = claim{}
		if o.Saw.Healthy() && !r.Report.claim.none() { // the report holds, whatever such a probe sees
			r.Run.Doubt = nil
		}
		return
	}
	r.Probes = r.Probes.settle(found, o)
	r.Fleet = r.Fleet.probed(found.reason)
	r.Machine, r.Pause = Machine{}, r.Pause.looked()
	r.Status.LatencyMS = provider.Milliseconds(o.Latency)
}

// Overtaken updates a record with a probe that began before the last report: the facts that
// it learned but not its verdict, which is older than what the caller met. If the report is
// still a doubt and the probe did not succeed either, the probe is judged like any other:
// callers can report faster than probes of a hanging server end.
func Overtaken(r *Record, o *probe.Observation, p *config.Provider, machine MachineState) *provider.Event {
	if r.Report.met != nil && r.Run.Doubt != nil && !o.Saw.Healthy() {
		return Judge(r, o, p, machine)
	}
	r.learn(o, p)
	return nil
}

// ApplyReport records what a caller met. It is weighed like what a probe meets: what is
// definite changes the row at once, and what is doubtful counts as one doubt, however many
// callers report it before the next probe. A reported time to come back holds until it has
// passed or a newer report has another one; a report without one changes nothing meanwhile.
// A later time that the provider gave to a probe stays.
//
// While probing is paused, or if there is no key to probe with, the row keeps its state and
// only the time is noted.
func ApplyReport(r Record, o probe.Observation, p *config.Provider) (Record, *provider.Event) {
	if r.Report.holds(o.Began) && o.RetryAt.IsZero() {
		return r, nil
	}
	was := r.shown()
	first := !r.Report.doubtful(p)
	r.Report = r.Report.take(&o)
	r.Status.LastError = join(string(o.Saw), o.Detail)
	if r.Status.Paused || r.Status.Reason == provider.NoCredentials {
		return r.derived(was, p, o.Began)
	}
	r.Status.Source, r.Status.By = provider.FromReport, nil
	r.Run = r.Run.reported(&o, first, p)
	if r.Run.Doubt = r.needs(p).missingOfReport(&o, r, p); r.Run.Doubt == nil {
		r.Report = r.Report.believed()
		r.Machine, r.Pause = Machine{}, r.Pause.looked()
		r.Probes.broke = claim{}
		r.Status.LatencyMS = 0 // we had no answer ourselves
	}
	return r.derived(was, p, o.Began)
}

// ApplyVendorStatus records what the vendor's own status feed reports; nil: no incident, or
// unknown. It counts at once and in both directions, without a probe. The row's time of check
// and generation belong to the probe and stay.
func ApplyVendorStatus(r Record, incident *provider.Incident, p *config.Provider, now time.Time) (Record, *provider.Event) {
	r.Vendor = Vendor{incident}
	return r.derived(r.shown(), p, now)
}

// ApplyPause records that a person stopped or resumed the probing. The state stays the last
// known one.
func ApplyPause(r Record, paused bool, p *config.Provider, now time.Time) (Record, *provider.Event) {
	if r.Pause.Paused == paused {
		return r, nil
	}
	was := r.shown()
	r.Machine, r.Run.Doubt, r.Probes.broke = Machine{}, nil, claim{}
	r.Pause = r.Pause.take(paused)
	if !paused {
		r.Report = r.Report.resumed(now)
		r.Probes = r.Probes.resumed(now)
		if r.Report.holds(now) {
			r.Status.Source = provider.FromReport
		}
	}
	return r.derived(was, p, now)
}

// ApplyOutage records that, and why, this machine can no longer tell about the provider. It
// makes no event of the provider: one event of this machine stands for all.
func ApplyOutage(r Record, why string, p *config.Provider, now time.Time) Record {
	was := r.shown()
	r.losesSight(Machine{}.out(why))
	r.derive(was, p, now)
	return r
}

// losesSight forgets what held before this machine was cut off: the next probe that returns
// says what holds now.
func (r *Record) losesSight(m Machine) {
	r.Machine = m
	r.Probes = r.Probes.forget()
	r.Run.Doubt, r.Run.Doubts = nil, 0
	r.Fleet = r.Fleet.undisputed()
}

// ForgetKey forgets what the provider said to the previous key: it asked that key to wait,
// not the current one.
func ForgetKey(r Record) Record {
	if !r.Report.claim.none() { // the row comes from a caller, who had that key
		r.Probes = r.Probes.forget()
	}
	r.Report, r.Probes.retryAt, r.Probes.Saw, r.Fleet = Report{}, time.Time{}, "", nil
	r.Limits, r.Status.Limits = r.Limits.forget(), nil
	r.Status.RetryAt, r.Status.Reported = provider.Time{}, nil
	if r.Status.Source == provider.FromReport && r.beneath() == nil {
		r.Status.Source = provider.FromProbe
	}
	return r
}

// InDoubt reports whether the last probe saw something that has not been seen often enough
// to count, so that it is worth probing again soon.
func (r *Record) InDoubt(p *config.Provider) bool {
	return r.Run.Doubt != nil || r.Run.Slows > 0 && int(r.Run.Slows) < p.Fall
}

// Limited reports whether the provider asked us or a caller to wait, and that has not been
// overruled.
func (b *Basis) Limited() bool {
	return b.said.reason == provider.RateLimited || b.Fleet.holds() || b.Probes.Saw == provider.RateLimited ||
		b.Report.met != nil && b.Report.met.Reason == provider.RateLimited
}

// noteError keeps what a probe saw wrong.
func (r *Record) noteError() {
	wrong := r.said
	if d := r.Run.Doubt; !r.Probes.broke.none() {
		wrong = r.Probes.broke
	} else if d != nil {
		wrong = claim{d.Saw, d.Detail}
	}
	if !wrong.reason.Healthy() {
		r.Status.LastError = join(string(wrong.reason), wrong.detail)
	}
}

// join combines what and why; either may be empty.
func join(what, why string) string {
	if what == "" || why == "" {
		return what + why
	}
	return what + ": " + why
}
