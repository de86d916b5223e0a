// Package judge decides what the witnesses of a provider mean together. What each
// of them said is kept apart, in a value and a file of its own: its own probes
// ([Probes]), callers ([Report], or [Hearsay] where they are no administrators), the vendor's status feed ([Vendor]), this machine
// ([Machine]), a person ([Pause]). The row is derived from all of them, by one order
// of precedence (see row.go), and an event is the difference between what was last
// told and what holds now (see event.go).
//
// It is pure: it reads no clock, does no I/O, and modifies nothing that it is given,
// but the record into which [Judge] takes what a probe saw: a copy of it for each probe
// would make a stack of twice the size.
// It imports the values it judges, from daemon/probe and daemon/config, and the
// vocabulary. What a probe saw is daemon/probe's to say; whether it is this machine,
// daemon/outage's; when to look again, daemon/schedule's.
package judge

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A Record is what is known of one provider: its row, and all that the row is
// derived from.
type Record struct {
	Status provider.Status // the row
	Basis
}

// A Basis is all that a row is derived from.
type Basis struct {
	Evidence
	Facts

	// Stirred is since when the row has its reason or, if later, when somebody last
	// wanted to know. What stays the same for long after that may stay so for ever.
	Stirred time.Time

	said  claim // what the row says, but for the mark of flapping and what users met
	told  told
	flaps flaps
}

// Evidence is what the witnesses said, each apart from the others.
type Evidence struct {
	Probes  Probes
	Run     Run // how often in a row the same was seen, by probes or callers
	Report  Report
	Vendor  Vendor
	Machine Machine
	Pause   Pause
	Hearsay *Hearsay
}

// A MachineState says how this machine itself stands while a probe is judged.
type MachineState uint8

const (
	// MachineFine: what the probe saw is the provider's.
	MachineFine MachineState = iota
	// MachineInDoubt: it may be this machine's fault, and that is being found out. Until
	// then the row stays as it is.
	MachineInDoubt
	// MachineOut: this machine cannot tell about remote providers.
	MachineOut
)

// Judge takes into a record what one of our probes saw while this machine was in that
// state. The event is nil when neither state nor reason changed; its time is the probe's
// end, when it was learned, so that events are dated in their order.
func Judge(r *Record, o *probe.Observation, p *config.Provider, machine MachineState) *provider.Event {
	was, needs := r.shown(), r.needs(p)
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
		r.Status.Source = r.Report.source(o)
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

// weigh lets what a probe saw settle, or puts the row in doubt.
func (r *Record) weigh(o *probe.Observation, needs needs, p *config.Provider) {
	if o.Saw == provider.ProbeFailed {
		r.Probes = r.Probes.broken(o)
		r.Status.LatencyMS = 0
		return
	}
	found := claimOf(o, &r.Facts, r.Run.Slows, p)
	if r.Run.Doubt = needs.missing(found, o, &r.Evidence, p); r.Run.Doubt != nil {
		r.Probes.broke = claim{}
		if o.Saw.Healthy() && !r.Report.claim.none() { // which holds whatever such a probe sees
			r.Run.Doubt = nil
		}
		return
	}
	r.Probes = r.Probes.settle(found, o)
	r.Machine, r.Pause = Machine{}, r.Pause.looked()
	r.Status.LatencyMS = provider.Milliseconds(o.Latency)
}

// Overtaken takes into a record a probe that began before the last report: the facts that it
// learned, and not its verdict, which is older than what the caller met. If the report is
// still a doubt, and the probe did not see the provider well either, it adds to that and is
// judged like any other: callers may report faster than probes of a server that hangs can end.
func Overtaken(r *Record, o *probe.Observation, p *config.Provider, machine MachineState) *provider.Event {
	if r.Report.met != nil && r.Run.Doubt != nil && !o.Saw.Healthy() {
		return Judge(r, o, p, machine)
	}
	r.learn(o, p)
	return nil
}

// ApplyReport takes in what a caller met, which is weighed as what a probe meets:
// what is definite changes the row at once, and what is doubtful counts as one doubt,
// however many report it before the next probe. A reported time to come back holds
// until it has passed, or a newer report names another; a report without one changes
// nothing meanwhile. A later time that the provider gave to a probe stays.
//
// While probing is paused, or no key is there to be asked with, the row keeps its
// state, and only the time is noted.
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
	r.Status.Source = provider.FromReport
	r.Run = r.Run.reported(&o, first, p)
	if r.Run.Doubt = r.needs(p).missingOfReport(&o, r, p); r.Run.Doubt == nil {
		r.Report = r.Report.believed()
		r.Machine, r.Pause = Machine{}, r.Pause.looked()
		r.Probes.broke = claim{}
		r.Status.LatencyMS = 0 // of no answer that we had
	}
	return r.derived(was, p, o.Began)
}

// ApplyVendorStatus takes in what the vendor's own status feed reports; nil is
// nothing, or nothing that can be told. It counts at once and both ways, without a
// probe. When the row was checked, and its generation, are the probe's and stay.
func ApplyVendorStatus(r Record, incident *provider.Incident, p *config.Provider, now time.Time) (Record, *provider.Event) {
	r.Vendor = Vendor{incident}
	return r.derived(r.shown(), p, now)
}

// ApplyPause takes in that a person stopped or resumed the probing. The state stays:
// it is the last that was known.
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

// ApplyOutage takes in that this machine cannot tell any more about the provider, and
// why. It makes no event of the provider: one event of this machine stands for all.
func ApplyOutage(r Record, why string, p *config.Provider, now time.Time) Record {
	was := r.shown()
	r.losesSight(Machine{}.out(why))
	r.derive(was, p, now)
	return r
}

// losesSight forgets what held before this machine was cut off: what holds now, the
// next probe says that comes back.
func (r *Record) losesSight(m Machine) {
	r.Machine = m
	r.Probes = r.Probes.forget()
	r.Run.Doubt, r.Run.Doubts = nil, 0
}

// ForgetKey forgets what the provider said to the key that we had before: it asked
// that key to wait, not the one that we have now.
func ForgetKey(r Record) Record {
	if !r.Report.claim.none() { // the row is a caller's, who had that key
		r.Probes = r.Probes.forget()
	}
	r.Report, r.Probes.retryAt, r.Probes.Saw = Report{}, time.Time{}, ""
	r.Status.RetryAt, r.Status.Reported = provider.Time{}, nil
	if r.Status.Source == provider.FromReport && r.beneath() == nil {
		r.Status.Source = provider.FromProbe
	}
	return r
}

// InDoubt reports whether the last probe saw something that has not been seen
// often enough to count, so that it is worth looking again soon.
func (r *Record) InDoubt(p *config.Provider) bool {
	return r.Run.Doubt != nil || r.Run.Slows > 0 && r.Run.Slows < p.Fall
}

// Limited reports whether the provider asked us, or a caller, to be left alone, and
// that has not been overruled.
func (b *Basis) Limited() bool {
	return b.said.reason == provider.RateLimited || b.Probes.Saw == provider.RateLimited ||
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

// join puts what and why together; either may be empty.
func join(what, why string) string {
	if what == "" || why == "" {
		return what + why
	}
	return what + ": " + why
}
