// Package judge decides what an observation means: (last record, observation,
// policy) → next record, and an event when something changed. It is pure: it
// reads no clock, does no I/O, and modifies nothing that it is given.
//
// It imports the values it judges, from daemon/probe and daemon/config, and the
// vocabulary. What a probe saw is daemon/probe's to say; when to look again is
// daemon/schedule's.
package judge

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A Record is what the judge remembers of a provider between probes: its row,
// and the counts that thresholds need.
type Record struct {
	Status   provider.Status
	Models   []provider.Model // as last listed; nil when unknown
	ModelsAt time.Time
	Note     string // what the facts said beside models, such as "a model is loading"

	Saw      provider.Reason // what the last probe saw, whether or not it decided
	Doubts   int             // doubtful observations in a row
	Slows    int             // healthy answers in a row that were slow
	Goods    int             // healthy answers in a row
	Failures int             // observations in a row that were not healthy, for back-off

	KeyWithheld bool // the last probe did not give the key away

	Definite bool // what the last probe saw is enough by itself

	Vendor *provider.Incident // what the vendor's own status feed reports; nil: nothing
	found  situation          // what the row says apart from that

	detail   string // of the row, but for its flapping
	blackout string // why the row says offline; empty when it does not
	told     told   // of a row that says offline: what was known before

	undecided bool        // the last observation was not enough to change the row
	hearsay   bool        // the row changed by a caller's word, which the next probe overrules whatever it sees
	changes   []time.Time // of the state, within flapWindow, oldest first
	flapping  bool
}

// Judge applies one observation, made while this machine stood so.
// The event is nil when neither state nor reason changed.
func Judge(r Record, o probe.Observation, p *config.Provider, host Host) (Record, *provider.Event) {
	was := r.Status
	r.count(&o, p)
	r.learn(&o, p)
	reason, detail := r.finding(&o, p, host)

	st := &r.Status
	if host != HostInDoubt { // which settles nothing
		r.overrule(&o)
	} else if st.Source == provider.FromRestored {
		st.Source = provider.FromProbe
	}
	st.CheckedAt = provider.Time{Time: o.Began}
	if healthy(o.Saw) {
		st.LastOKAt = st.CheckedAt
	}
	if !healthy(reason) {
		st.LastError = join(string(reason), detail)
	}
	r.undecided = host == HostInDoubt || !r.decides(was, reason, p)
	st.Incident = r.Vendor
	if host != HostInDoubt {
		r.hearsay = r.hearsay && st.Reported != nil
	}
	switch {
	case host == HostOut:
		r.Doubts, r.Failures = 0, 0
		r.found = situation{}
		r.become(reason, detail, p)
	case host == HostInDoubt:
		st.Doubt = &provider.Doubt{Saw: reason, Detail: detail}
	case !r.undecided:
		st.RetryAt = provider.Time{Time: o.RetryAt}
		st.LatencyMS = milliseconds(o.Latency)
		r.settle(reason, detail, p)
	case healthy(reason):
		st.Doubt = &provider.Doubt{Saw: reason, Detail: detail, Count: r.Goods, Of: p.Rise}
	default:
		st.Doubt = &provider.Doubt{Saw: reason, Detail: detail, Count: r.Doubts, Of: p.Fall}
	}
	return r.close(was, o.Began)
}

// InDoubt reports whether the last probe saw something that has not been seen
// often enough to count, so that it is worth looking again soon.
func (r *Record) InDoubt(p *config.Provider) bool {
	return r.undecided || r.Slows > 0 && r.Slows < p.Fall
}

// Pause records that a person stopped or resumed the probing. The state stays:
// it is the last that was known.
func Pause(r Record, paused bool, p *config.Provider, now time.Time) (Record, *provider.Event) {
	was := r.Status
	if was.Paused == paused {
		return r, nil
	}
	r.Status.Paused = paused
	r.found = situation{} // what holds now, the next probe says
	switch {
	case paused:
		r.become(provider.Paused, "probing is paused", p)
	case r.held(now):
		r.Status.Source = provider.FromReport
		r.become(r.Status.Reported.Reason, join("probing is resumed, and waits for retry_at", r.Status.Reported.Detail), p)
	case r.Saw == provider.RateLimited && r.Status.RetryAt.After(now):
		r.become(provider.RateLimited, "probing is resumed, and waits for retry_at", p)
	default:
		r.become(provider.NotChecked, "probing is resumed", p)
	}
	return r.close(was, now)
}

// count keeps the runs that thresholds are about. A probe that broke by itself
// says nothing about the provider and leaves them alone.
func (r *Record) count(o *probe.Observation, p *config.Provider) {
	r.Saw, r.Definite = o.Saw, definite(o.Saw, o.RetryAt, p)
	switch {
	case o.Saw == provider.ProbeFailed:
		return
	case healthy(o.Saw):
		r.Goods++
		r.Doubts, r.Failures = 0, 0
	default:
		r.Goods = 0
		r.Failures++
		r.Doubts++
		if r.Definite {
			r.Doubts = 0
		}
	}
	switch slow := healthy(o.Saw) && o.Latency > p.SlowAfter; {
	case !slow:
		r.Slows = 0
	case r.Status.Reason == provider.Slow:
		r.Goods = 0 // it is there, and not better
		fallthrough
	default:
		r.Slows++
	}
}

// learn takes over the facts. They are kept while probes do not ask for them,
// and forgotten when the server is gone, or is another.
func (r *Record) learn(o *probe.Observation, p *config.Provider) {
	st, f := &r.Status, &o.Facts
	st.PortListening, st.APIResponding = o.PortListening, o.APIResponding
	st.PID, st.PIDExists = o.PID, o.PIDExists
	r.KeyWithheld = o.KeyWithheld
	st.Endpoint = p.Endpoint
	if o.Endpoint != "" {
		st.Endpoint = o.Endpoint
	}
	if o.Saw == provider.ConnectionRefused || o.Saw == provider.WrongService {
		r.Models, r.ModelsAt, r.Note = nil, time.Time{}, ""
		st.Version, st.ModelsCount, st.LoadedModels = "", nil, nil
		return
	}
	if f.Version != "" {
		st.Version = f.Version
	}
	if f.Models != nil || f.Note != "" { // the facts were asked for
		r.Note = f.Note
	}
	if f.Models != nil {
		r.Models, r.ModelsAt = f.Models, o.Began
		n := len(f.Models)
		st.ModelsCount = &n
	}
	if f.Loaded != nil {
		st.LoadedModels = f.Loaded
	}
}

// finding turns what the probe saw into what holds for the provider: the facts
// of one that is up can still limit its use, and a host without network cannot
// tell about others.
func (r *Record) finding(o *probe.Observation, p *config.Provider, host Host) (provider.Reason, string) {
	if host == HostOut {
		return provider.Offline, join(cmp.Or(r.blackout, "this machine has no network"), o.Detail)
	}
	if !healthy(o.Saw) {
		return o.Saw, o.Detail
	}
	if r.held(o.Began) {
		return r.Status.Reported.Reason, r.Status.Reported.Detail
	}
	if r.Models != nil {
		if len(r.Models) == 0 {
			return provider.NoModels, "it lists no model"
		}
		if missing := missingModels(p, r.Models); len(missing) > 0 {
			return provider.ModelMissing, "not there: " + list(missing)
		}
	}
	if r.Slows >= p.Fall {
		return provider.Slow, fmt.Sprintf("answered in %s, slow_after is %s",
			o.Latency.Round(time.Millisecond), p.SlowAfter)
	}
	if r.Note != "" {
		return o.Saw, r.Note
	}
	return o.Saw, o.Detail
}

// decides reports whether the evidence is enough to change the row. Where
// nothing better is known, or nothing changes but the detail, it always is.
func (r *Record) decides(was provider.Status, reason provider.Reason, p *config.Provider) bool {
	switch {
	case r.hearsay:
		return true
	case was.Source == provider.FromRestored, was.State == provider.StateUnknown,
		was.Reason == provider.NotChecked, was.Reason == reason:
		return r.told == (told{}) || healthy(reason) || r.Definite || r.Doubts >= p.Fall
	case healthy(reason):
		return was.State == provider.StateRunning || was.Reason == provider.VendorIncident || r.Goods >= p.Rise
	}
	return definite(reason, time.Time{}, p) || r.Definite || r.Doubts >= p.Fall
}

// become makes a situation the row's own.
func (r *Record) become(reason provider.Reason, detail string, p *config.Provider) {
	st := &r.Status
	if next := rules[reason].state; next != "" {
		st.State = next
	}
	st.Reason, st.Doubt = reason, nil
	r.detail = detail
	if st.Hint = hint(reason, p, st.Endpoint); st.Hint == "" && r.KeyWithheld {
		st.Hint = hint(provider.KeyWithheld, p, st.Endpoint)
	}
}

// hint is what to do next about a provider that is shown at an endpoint.
func hint(reason provider.Reason, p *config.Provider, endpoint string) string {
	return provider.Hint(reason, provider.Subject{Hints: p.Hints, ID: p.ID, Endpoint: endpoint, KeyEnv: p.KeyMissing})
}

// close ends a step: it dates a change of state, watches for flapping, and
// makes the event.
func (r Record) close(was provider.Status, now time.Time) (Record, *provider.Event) {
	st := &r.Status
	moved := st.State != was.State
	if moved || st.Since.IsZero() {
		st.Since = provider.Time{Time: now}
	}
	own := was.State != provider.StateUnknown &&
		was.Reason != provider.VendorIncident && st.Reason != provider.VendorIncident
	begins := r.watchFlapping(moved && own, now)
	detail := r.detail
	st.Detail = detail
	if r.flapping {
		st.Detail = strings.TrimPrefix(st.Detail+"; ", "; ") +
			fmt.Sprintf("flapping (%d changes in %d minutes)", len(r.changes), int(flapWindow.Minutes()))
	}
	if begins {
		detail = st.Detail
	}
	before := r.lastTold(was)
	if st.Reason == provider.Offline || (told{st.State, st.Reason}) == before {
		return r, nil
	}
	return r, &provider.Event{
		Time: provider.Time{Time: now}, ID: st.ID, From: before.state, To: st.State,
		Reason: st.Reason, Detail: detail, Doubt: st.Doubt, LatencyMS: st.LatencyMS,
	}
}

// milliseconds rounds to two decimals.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(10*time.Microsecond)) / 100
}

// join puts what and why together; either may be empty.
func join(what, why string) string {
	if what == "" || why == "" {
		return what + why
	}
	return what + ": " + why
}
