package judge

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A Report is what the last caller met, as a witness; its zero value is nothing.
type Report struct {
	met   *provider.Reported // until a probe overrules it
	claim claim              // what it says of the provider; none while it is only noted, or not enough
}

// waitsForRetry is said of a provider whose probing has resumed before its retry_at.
const waitsForRetry = "probing has resumed and waits for retry_at"

// take notes what a caller met. What was believed before stays, until this is.
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

// probed takes in that a probe came back. It overrules the report, but while a
// reported time to come back still runs: then a probe that finds the provider well
// proves nothing about what the caller met, for it asks for less, and what is worse
// is shown. A probe that broke says nothing.
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

// resumed takes in that a person resumed the probing.
func (w Report) resumed(now time.Time) Report {
	w.claim = claim{}
	if w.holds(now) {
		w.claim = claim{w.met.Reason, join(waitsForRetry, w.met.Detail)}
	}
	return w
}

// source is whose word the row is after a probe.
func (w Report) source(o *probe.Observation) provider.Source {
	if w.met != nil && (o.Saw.Healthy() || o.Saw == provider.ProbeFailed) {
		return provider.FromReport
	}
	return provider.FromProbe
}

// holds reports whether a reported time to come back still runs.
func (w Report) holds(now time.Time) bool { return w.retryAt().After(now) }

// retryAt is when the caller was told to come back; zero when it was not.
func (w Report) retryAt() time.Time {
	if w.met == nil {
		return time.Time{}
	}
	return w.met.RetryAt.Time
}

// doubtful reports whether it counts as a doubt.
func (w Report) doubtful(p *config.Provider) bool {
	return w.met != nil && !definite(w.met.Reason, w.met.RetryAt.Time, p)
}
