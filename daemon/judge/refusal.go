package judge

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
)

// A 4xx alone may tell that another program answers. Where the provider was well before,
// it may also be a balancer in front of it while its server is away.

// hintWhereItWasWell is what to do about another program's refusal at an address where the
// provider was before.
const hintWhereItWasWell = "something else answers at {endpoint}, where {id} was well before: start the server, which may be behind it; " +
	"if it has moved, correct base_url, then: providerctl reload"

// refused is what a probe saw, with its mark of a refusal only where that leaves a doubt,
// and with what to do then. What it is given stays as it is.
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
// answers is not enough if it rests on a 4xx alone and the provider was at that address
// before.
func (r *Record) Definite(o *probe.Observation, p *config.Provider) bool {
	return definite(o.Saw, o.RetryAt, p) && !(o.Refusal && r.wasWell())
}

// wasWell reports whether the provider ever answered well at its address, in this
// process or before it.
func (r *Record) wasWell() bool { return !r.Status.LastOKAt.IsZero() }
