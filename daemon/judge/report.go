package judge

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A Report is what the last caller met, as a witness; its zero value is no report.
type Report struct {
	met   *provider.Reported // until a probe overrules it
	claim claim              // what it says of the provider; none while it is only noted or not enough
}

// waitsForRetry is the detail of a provider whose probing has resumed before its retry_at.
const waitsForRetry = "probing has resumed and waits for retry_at"

// take notes what a caller met. What was believed before stays until this is believed.
func (w Report) take(o *probe.Observation) Report {
	w.met = &provider.Reported{
		At: provider.Time{Time: o.Began}, Reason: o.Saw, Detail: o.Detail, RetryAt: provider.Time{Time: o.RetryAt},
	}
	return w
}

// believed makes what a caller met the report's claim.
func (w Report) believed() Report {
	w.claim = claim{w.met.Reason, w.met.Detail}
	return w
}

// probed records that a probe returned. It overrules the report, except while a reported
// time to come back is in the future. Until then the worse of the two is shown: a successful
// probe proves nothing about what the caller met, because it asks for less. A probe that
// failed by itself says nothing.
func (w Report) probed(o *probe.Observation) Report {
	switch {
	case w.met == nil || o.Saw == provider.ProbeFailed:
		return w
	case !w.holds(o.Began):
		return Report{}
	case o.Saw.Healthy():
		return w.believed()
	}
	w.claim = claim{}
	return w
}

// resumed records that a person resumed the probing.
func (w Report) resumed(now time.Time) Report {
	w.claim = claim{}
	if w.holds(now) {
		w.claim = claim{w.met.Reason, join(waitsForRetry, w.met.Detail)}
	}
	return w
}

// source is the witness on which the row rests after a probe.
func (w Report) source(o *probe.Observation) provider.Source {
	if w.met != nil && (o.Saw.Healthy() || o.Saw == provider.ProbeFailed) {
		return provider.FromReport
	}
	return provider.FromProbe
}

// Answered reports whether there is no report that a probe of ours still has to answer.
func (w Report) Answered() bool { return w.met == nil }

// holds reports whether a reported time to come back is in the future.
func (w Report) holds(now time.Time) bool { return w.retryAt().After(now) }

// retryAt is when the caller was told to come back; zero if it was not told.
func (w Report) retryAt() time.Time {
	if w.met == nil {
		return time.Time{}
	}
	return w.met.RetryAt.Time
}

// doubtful reports whether the report counts as a doubt.
func (w Report) doubtful(p *config.Provider) bool {
	return w.met != nil && !definite(w.met.Reason, w.met.RetryAt.Time, p)
}
