package judge

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// Report applies what a caller met, which is weighed as what a probe meets: what is
// definite changes the row at once, and what is doubtful counts as one doubt, however
// many report it before the next probe. A reported time to come back holds until it
// has passed, or a newer report names another; a report without one changes nothing
// meanwhile. A later one that the provider told a probe stays.
//
// While probing is paused, or no key is there to be asked with, the row keeps its
// state, and only the time is noted.
func Report(r Record, o probe.Observation, p *config.Provider) (Record, *provider.Event) {
	was := r.Status
	held := r.held(o.Began)
	if held && o.RetryAt.IsZero() {
		return r, nil
	}
	st := &r.Status
	st.LastError = join(string(o.Saw), o.Detail)
	st.Reported = &provider.Reported{
		At: provider.Time{Time: o.Began}, Reason: o.Saw, Detail: o.Detail, RetryAt: provider.Time{Time: o.RetryAt},
	}
	if own := st.RetryAt; held || !own.After(o.Began) || own.Before(o.RetryAt) {
		st.RetryAt = st.Reported.RetryAt
	}
	if st.Paused || st.Reason == provider.NoCredentials {
		return r, nil
	}
	st.Source = provider.FromReport
	r.Goods = 0
	r.Definite = definite(o.Saw, o.RetryAt, p)
	if !r.Definite && was.Reported == nil {
		r.Doubts++
	}
	hearsay := r.hearsay
	r.hearsay = false // that is for probes to overrule
	if r.undecided = !r.decides(was, o.Saw, p); r.undecided {
		r.hearsay = hearsay
		st.Doubt = &provider.Doubt{Saw: o.Saw, Detail: o.Detail, Count: r.Doubts, Of: p.Fall}
		return r.close(was, o.Began)
	}
	r.hearsay = hearsay || o.Saw != was.Reason
	st.LatencyMS = 0 // of no answer that we had
	r.settle(o.Saw, o.Detail, p)
	return r.close(was, o.Began)
}

// Confirms reports whether a probe that began before the last report adds to it: that
// is a doubt, and the probe did not see the provider well. Callers may report faster
// than probes of a server that hangs can end.
func Confirms(r Record, o probe.Observation) bool {
	return r.Status.Reported != nil && r.undecided && !healthy(o.Saw)
}

// Overtaken takes in a probe that began before the last report: the facts that it
// learned, and not its verdict, which is older than what the caller met.
func Overtaken(r Record, o probe.Observation, p *config.Provider) Record {
	r.learn(&o, p)
	r.Status.CheckedAt = provider.Time{Time: o.Began}
	return r
}

// Limited reports whether a caller met a rate limit that has not been overruled.
func (r *Record) Limited() bool {
	return r.Status.Reported != nil && r.Status.Reported.Reason == provider.RateLimited
}

// held reports whether a reported time to come back still runs. A probe that finds
// the provider well meanwhile proves nothing about what the caller met: it asks for
// less.
func (r *Record) held(now time.Time) bool {
	return r.Status.Reported != nil && r.Status.Reported.RetryAt.After(now)
}

// overrule ends what a caller reported, or keeps it while it holds.
func (r *Record) overrule(o *probe.Observation) {
	st := &r.Status
	broke := o.Saw == provider.ProbeFailed // which says nothing of the provider
	if !r.held(o.Began) && !broke {
		st.Reported = nil
	}
	st.Source = provider.FromProbe
	if st.Reported == nil {
		return
	}
	if healthy(o.Saw) || broke {
		st.Source = provider.FromReport
	}
	if retry := st.Reported.RetryAt.Time; retry.After(o.RetryAt) {
		o.RetryAt = retry
	}
}
