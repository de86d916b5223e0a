package judge

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A Run counts what probes and callers saw in a row, for the thresholds and for back-off.
type Run struct {
	Doubts   int32 // observations that are not enough by themselves
	Goods    int32 // healthy answers
	Slows    int32 // healthy answers that were slow
	Failures int32 // probes that were not healthy

	Doubt *provider.Doubt // what was seen last, if it is not enough; otherwise nil
}

// seen counts what a probe saw. A probe that failed by itself says nothing about the provider
// and does not change the run.
func (run Run) seen(o *probe.Observation, w *Probes, p *config.Provider) Run {
	switch {
	case o.Saw == provider.ProbeFailed:
		return run
	case o.Saw.Healthy():
		run.Goods++
		run.Doubts, run.Failures = 0, 0
	default:
		run.Goods = 0
		run.Failures++
		run.Doubts++
		if settles(o, p) {
			run.Doubts = 0
		}
	}
	switch {
	case !o.Saw.Healthy() || o.Latency <= p.SlowAfter:
		run.Slows = 0
	case w.settled.reason == provider.Slow:
		run.Goods = 0 // it is up, but no better
		fallthrough
	default:
		run.Slows++
	}
	return run
}

// reported counts what a caller met; first means that no doubt of another caller is counted
// that no probe has answered yet.
func (run Run) reported(o *probe.Observation, first bool, p *config.Provider) Run {
	run.Goods = 0
	if first && !settles(o, p) {
		run.Doubts++
	}
	return run
}

// settles reports whether what was seen is enough by itself. Judge keeps Refusal only if it
// counts.
func settles(o *probe.Observation, p *config.Provider) bool {
	return !o.Refusal && definite(o.Saw, o.RetryAt, p)
}

// needs is how many good or doubtful answers in a row change the row.
type needs struct{ rise, fall int }

// needs returns more than one if there is something to lose: probes know something better, or
// what is seen may still be the fault of this machine. Any probe overrules what a caller said.
func (e *Evidence) needs(p *config.Provider) needs {
	switch {
	case !e.Machine.claim.none():
		return needs{1, p.Fall}
	case !e.Report.claim.none() && e.Report.claim.reason != e.Probes.settled.reason, !e.Probes.known():
		return needs{1, 1}
	}
	return needs{p.Rise, p.Fall}
}

// missing is the doubt that a probe leaves; nil if what it found is enough. If only the detail
// changes, it always is.
func (n needs) missing(found claim, o *probe.Observation, e *Evidence, p *config.Provider) *provider.Doubt {
	settled := e.Probes.settled.reason
	switch {
	case found.reason == settled:
		return nil
	case found.reason.Healthy():
		if int(e.Run.Goods) >= n.rise || settled.Healthy() {
			return nil
		}
		return &provider.Doubt{Saw: found.reason, Detail: found.detail, Count: int(e.Run.Goods), Of: n.rise}
	case settles(o, p), found.reason != o.Saw && definite(found.reason, time.Time{}, p), int(e.Run.Doubts) >= n.fall:
		return nil
	}
	return &provider.Doubt{Saw: found.reason, Detail: found.detail, Count: int(e.Run.Doubts), Of: n.fall}
}

// missingOfReport is the doubt that a report leaves. A caller on this machine meets what our
// probes meet: while this machine may be to blame, only what is definite counts.
func (n needs) missingOfReport(o *probe.Observation, r Record, p *config.Provider) *provider.Doubt {
	if !r.Report.claim.none() { // which only probes overrule
		n.fall = p.Fall
	}
	switch d := r.Run.Doubt; {
	case settles(o, p):
		return nil
	case d != nil && d.Of == 0:
		return d
	case o.Saw == r.said.reason, int(r.Run.Doubts) >= n.fall:
		return nil
	}
	return &provider.Doubt{Saw: o.Saw, Detail: o.Detail, Count: int(r.Run.Doubts), Of: n.fall}
}
