package judge

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A Fleet is another member of the fleet as a witness. What its probe found counts like what
// ours found, and the newest of both holds, unless ours contradict it: the two machines may
// see different things. That it was told to wait holds for this machine too. A Fleet is
// immutable; nil: nothing was told that counts.
type Fleet struct {
	teller   *string         // the member whose probe was last taken
	found    provider.Reason // by that probe; empty: it no longer counts
	disputed bool            // our own probes found something else, which holds here

	until time.Time // another member was told to wait until then; zero: none was
	by    string    // that member
}

// A Told is what another member's probe found.
type Told struct {
	By         string
	Reason     provider.Reason
	At         time.Time // when the probe began
	RetryAt    time.Time
	Latency    time.Duration
	Version    string
	Models     []provider.Model // nil: unknown
	Generation uint64           // the newest refresh that it answers; 0: none
}

// Believable reports whether a reason can be learned from another machine: a probe must be able
// to see it, and it must not be about the machine that probed.
func Believable(reason provider.Reason) bool {
	switch reason {
	case provider.Offline, provider.NoCredentials, provider.KeyWithheld, provider.Misconfigured, provider.ProbeFailed,
		provider.NetworkUnreachable:
		return false
	}
	return stateOf(reason) != ""
}

// ApplyTold records what another member's probe found. It is not taken if something newer is
// known, if our own probes contradict it, if it says nothing about the provider, while a
// caller's report has not been answered by a probe of ours, and while probing is paused.
func ApplyTold(r Record, t *Told, p *config.Provider, now time.Time) (_ Record, event *provider.Event, taken bool) {
	if !Believable(t.Reason) || r.Pause.Paused || r.Report.met != nil || t.At.After(now) ||
		t.At.Before(r.Status.CheckedAt.Time) && r.Status.Source != provider.FromRestored {
		return r, nil, false
	}
	was := r.shown()
	found := r.foundElsewhere(t, p)
	if r.Fleet = r.Fleet.told(found.reason, r.Probes.settled.reason, t.By); r.Fleet.disputed {
		return r, r.derive(was, p, now), false
	}
	r.learnOf(t)
	r.Probes.Saw, r.Probes.hint, r.Probes.broke = found.reason, "", claim{}
	r.Probes.settled, r.Probes.retryAt = found, t.RetryAt
	r.Machine, r.Pause, r.Run = Machine{}, r.Pause.looked(), r.Run.told(found.reason)
	event = r.derive(was, p, now)
	r.noteError()
	return r, event, true
}

// foundElsewhere is what another member's probe means here: the members may require other
// models, and disagree about what is slow.
func (r *Record) foundElsewhere(t *Told, p *config.Provider) claim {
	o := probe.Observation{Saw: t.Reason, Latency: t.Latency, Facts: probe.Facts{Models: t.Models}}
	slows := 0
	switch t.Reason {
	case provider.Slow:
		if o.Saw = provider.OK; t.Latency > p.SlowAfter {
			slows = p.Fall
		}
	case provider.ModelMissing, provider.NoModels, provider.VendorIncident:
		o.Saw = provider.OK
	}
	facts := r.Facts
	facts.Note = ""
	if t.Models != nil {
		facts.Models = t.Models
	}
	found := claimOf(&o, &facts, slows, p)
	if !found.reason.Healthy() {
		found.detail = join("according to "+t.By, found.detail)
	}
	return found
}

// learnOf stores what else another member's probe found. What only our own probes can know is
// forgotten.
func (r *Record) learnOf(t *Told) {
	st := &r.Status
	st.CheckedAt, st.LatencyMS = provider.Time{Time: t.At}, provider.Milliseconds(t.Latency)
	st.Source = provider.FromFleet
	st.Generation = max(st.Generation, t.Generation)
	st.PortListening, st.APIResponding, st.KeyWithheld = nil, nil, false
	if t.Reason.Healthy() {
		st.LastOKAt = st.CheckedAt
		st.PortListening, st.APIResponding = new(true), new(true)
	}
	if t.Reason == provider.ConnectionRefused || t.Reason == provider.WrongService {
		r.Facts = Facts{}
		st.Version, st.ModelsCount, st.LoadedModels = "", nil, nil
		return
	}
	if t.Version != "" {
		st.Version = t.Version
	}
	if t.Models != nil {
		r.Models, r.ModelsAt = t.Models, t.At
		st.ModelsCount = new(len(t.Models))
	}
}

// told starts a run with what another member has settled.
func (run Run) told(found provider.Reason) Run {
	if found.Healthy() {
		return Run{}
	}
	return Run{Failures: max(1, run.Failures)}
}

// Unsay forgets what another member's probe found. The row stays as it is until a probe of ours.
func Unsay(r Record) Record {
	if r.Fleet != nil {
		r.Fleet = Fleet{teller: r.Fleet.teller, until: r.Fleet.until, by: r.Fleet.by}.unlessEmpty()
	}
	return r
}

// ApplyHold records that another member was told to wait until then, for all that use its key;
// the zero time ends that.
func ApplyHold(r Record, until time.Time, by string, p *config.Provider, now time.Time) (Record, *provider.Event) {
	was := r.shown()
	next := r.Fleet.value()
	next.until, next.by = until, by
	if !until.After(now) {
		next.until, next.by = time.Time{}, ""
	}
	r.Fleet = next.unlessEmpty()
	return r.derived(was, p, now)
}

// Release ends the wait that another member was told, because a probe that was made all the same
// succeeded. Call it before the probe is judged.
func Release(r *Record, o *probe.Observation) {
	if o.Saw.Healthy() && r.Fleet.holds() {
		r.Fleet = r.Fleet.released()
	}
}

// Disputed reports whether our own probes contradict what another member found.
func (b *Basis) Disputed() bool { return b.Fleet != nil && b.Fleet.disputed }

// OwnWord is the row without what users met, which no other machine is told.
func OwnWord(r *Record) *provider.Status {
	if r.beneath() == nil {
		return &r.Status
	}
	own := *r
	own.uncover()
	own.Status.Hint = ""
	return &own.Status
}

// value is a copy.
func (w *Fleet) value() Fleet {
	if w == nil {
		return Fleet{}
	}
	return *w
}

func (w Fleet) unlessEmpty() *Fleet {
	if w == (Fleet{}) {
		return nil
	}
	return &w
}

// told takes what another member found. A dispute goes on until both agree.
func (w *Fleet) told(found, ours provider.Reason, by string) *Fleet {
	if w != nil && w.found == found && !w.disputed && w.teller != nil && *w.teller == by {
		return w
	}
	next := w.value()
	next.found, next.disputed = found, next.disputed && !agree(found, ours)
	if !next.disputed {
		next.teller = &by
	}
	return &next
}

// probed compares what our probes have settled with what was told.
func (w *Fleet) probed(ours provider.Reason) *Fleet {
	if w == nil || w.found == "" || w.disputed == !agree(w.found, ours) {
		return w
	}
	next := *w
	next.disputed = !next.disputed
	return &next
}

// agree reports whether two findings are the same, or differ only in what the key may list.
func agree(a, b provider.Reason) bool { return a == b || a.Healthy() && b.Healthy() }

// undisputed forgets that our probes contradict what was told, as what they found is forgotten.
func (w *Fleet) undisputed() *Fleet {
	if w == nil || !w.disputed {
		return w
	}
	next := *w
	next.disputed = false
	return &next
}

// passed drops a wait that is over.
func (w *Fleet) passed(now time.Time) *Fleet {
	if w == nil || w.until.IsZero() || w.until.After(now) {
		return w
	}
	return w.released()
}

func (w *Fleet) holds() bool { return w != nil && !w.until.IsZero() }

// held says that another member was told to wait.
func (w *Fleet) held() claim {
	if !w.holds() {
		return claim{}
	}
	return claim{provider.RateLimited, "according to " + w.by}
}

// cited is the member that the row names.
func (w *Fleet) cited(source provider.Source) *string {
	switch {
	case w.holds():
		return &w.by
	case w != nil && source == provider.FromFleet:
		return w.teller
	}
	return nil
}

// released is w without the wait.
func (w *Fleet) released() *Fleet {
	return Fleet{teller: w.teller, found: w.found, disputed: w.disputed}.unlessEmpty()
}

// retryAt is when the wait ends; zero: there is none.
func (w *Fleet) retryAt() time.Time { return w.value().until }

// moved adapts the wait to a clock that was set.
func (w *Fleet) moved(move func(time.Time) time.Time) *Fleet {
	if !w.holds() {
		return w
	}
	next := *w
	next.until = move(w.until)
	return &next
}
