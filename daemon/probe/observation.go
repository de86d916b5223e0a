package probe

import (
	"time"

	"github.com/providerd/providerd/store/provider"
)

// An Observation is what one probe saw. It names the rule of diagnosis that the
// evidence falls under; what that means for the provider's state, after
// thresholds and policy, is for daemon/judge to say.
type Observation struct {
	Began time.Time     // with its monotonic reading
	Took  time.Duration // the whole probe, facts included

	// Saw is never slow, model_missing, no_models or offline: judge decides those
	// from the facts. It is empty when the caller's context ended first: then the
	// observation tells nothing and must not be judged.
	Saw     provider.Reason
	Detail  string        // one printable line, capped, without secrets
	Hint    string        // what to do next, where what was seen tells it better than the reason; like Detail
	Latency time.Duration // of the deciding request, until its body was read; 0 when nothing answered
	RetryAt time.Time     // from the provider's headers, clamped to 1 s…24 h from now; zero when not given

	// Refusal: what was seen rests on a 4xx alone. If the provider was at this address
	// before, that is a reason to look again: a proxy in front of a server says the same
	// while the server is away.
	Refusal bool

	// HostFault: nothing left this host, because it has no route or its resolver
	// does not answer (a resolver that says "no such host" does answer).
	HostFault bool

	PortListening *bool // nil: not tried
	APIResponding *bool

	// PID is the process that serves the provider, or served it when one last
	// answered; 0 when it is not known, as of another machine's. PIDExists says
	// whether there still is one; nil when PID is 0.
	PID       int
	PIDExists *bool

	// KeyWithheld: whoever listens there is not trusted with the key, so that the
	// provider was asked without it. The Detail says why.
	KeyWithheld bool

	// Endpoint is where it was found, when that differs from the configured
	// one (localhost, for which both families are dialled); else empty.
	Endpoint string

	Facts    Facts
	Evidence provider.Diagnostics // everything but Verdict
}

// Ended is when the probe ended, with the monotonic reading of its beginning.
func (o *Observation) Ended() time.Time { return o.Began.Add(o.Took) }

// Facts are what a provider says of itself beyond being up. A field that was not
// asked, or not answered, is nil or empty: unknown, not "none".
type Facts struct {
	Version string
	// Models is nil when unknown, and empty and not nil when the provider lists none.
	Models []provider.Model
	// Loaded are the ids of the models in memory; nil when unknown.
	Loaded []string
	// Note is a fact for people, such as "a model is loading"; it becomes the
	// detail of a healthy row.
	Note string
}

// Ask says how much a probe shall find out.
type Ask struct {
	// Facts asks for version, models and loaded models too, where the kind needs
	// further requests for them. Without it the probe is the deciding request alone.
	Facts bool
	// DialFirst tries a bare connect before anything else: the cheap way to ask
	// a server that was not there the last time.
	DialFirst bool
	// Fresh gives up the kept connection, so that the evidence has every layer:
	// the look-up of the name, the dials, and the TLS handshake.
	Fresh bool
	// Part gives up the connection after the probe: so many are not kept.
	Part bool
}
