package judge

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
)

// A 4xx alone may mean that another program answers. If the provider worked before, it may
// also come from a load balancer in front of it while its server is down.

// hintWhereItWasWell is what to do about another program's refusal at an address where the
// provider worked before.
const hintWhereItWasWell = "something else answers at {endpoint}, where {id} worked before: start its server, which may be behind a proxy; " +
	"if it has moved, correct base_url, then: providerctl reload"

// refused is what a probe saw, with the mark of a refusal only if that leaves a doubt, and
// with what to do then. It does not modify its argument.
func (r *Record) refused(o *probe.Observation) *probe.Observation {
	if !o.Refusal {
		return o
	}
	seen := *o
	if seen.Refusal = r.wasWell(); seen.Refusal && seen.Hint == "" {
		seen.Hint = hintWhereItWasWell
	}
	return &seen
}

// Definite reports whether what a probe saw is enough by itself. That another program
// answers is not enough if only a 4xx shows it and the provider worked at that address
// before.
func (r *Record) Definite(o *probe.Observation, p *config.Provider) bool {
	return definite(o.Saw, o.RetryAt, p) && !(o.Refusal && r.wasWell())
}

// wasWell reports whether the provider ever worked at its address, in this process or before
// it.
func (r *Record) wasWell() bool { return !r.Status.LastOKAt.IsZero() }
