package probe

import (
	"time"

	"github.com/providerd/providerd/store/provider"
)

// An Observation is what one probe saw. It names the rule of diagnosis that the evidence
// falls under. Package daemon/judge decides what that means for the provider's state, after
// thresholds and policy.
type Observation struct {
	Began time.Time     // with its monotonic reading
	Took  time.Duration // the whole probe, facts included

	// Saw is never slow, model_missing, no_models or offline: judge decides those from the
	// facts. It is empty if the caller's context ended first: then the observation says
	// nothing and must not be judged.
	Saw     provider.Reason
	Detail  string        // one printable line, capped, without secrets
	Hint    string        // what to do next, if more specific than the reason's hint; like Detail
	Latency time.Duration // of the deciding request, until its body was read; 0 if nothing answered
	RetryAt time.Time     // from the provider's headers, clamped to 1 s…24 h from now; zero if not given

	// Limits are what the answers said is left of the provider's budgets, without Source.
	Limits []provider.Limit

	// Refusal: the verdict rests on nothing but a 4xx. If the provider was at this address
	// before, that is a reason to probe again: a proxy in front of a server may answer the
	// same while the server is down.
	Refusal bool

	// Bare: it was a bare connect and no more, because that was refused.
	Bare bool

	// HostFault: nothing left this host, because it has no route or its resolver
	// does not answer (a resolver that says "no such host" does answer).
	HostFault bool

	PortListening *bool // nil: not tried
	APIResponding *bool

	// PID is the process that serves the provider, or served it when it last answered; 0 if
	// unknown, as on another machine. PIDExists says whether it still exists; nil if PID is
	// 0.
	PID       int
	PIDExists *bool

	// KeyWithheld: the listener is not trusted with the key, so the provider was probed
	// without it. The Detail says why.
	KeyWithheld bool

	// Endpoint is where it was found, if that differs from the configured address
	// (localhost, for which both families are dialled); else empty.
	Endpoint string

	Facts    Facts
	Evidence provider.Diagnostics // everything but Verdict
}

// Ended is when the probe ended, with the monotonic reading of its beginning.
func (o *Observation) Ended() time.Time { return o.Began.Add(o.Took) }

// Facts are what a provider reports about itself beyond being up. A field that was not
// asked for, or not answered, is nil or empty: unknown, not "none".
type Facts struct {
	Version string
	// Models is nil if unknown, and empty but not nil if the provider lists none.
	Models []provider.Model
	// Loaded are the ids of the models in memory; nil if unknown.
	Loaded []string
	// Note is a fact for people, such as "a model is loading"; it becomes the
	// detail of a healthy row.
	Note string
	// Busy is the requests that the server has, if LoadAsked; nil if it did not report them.
	Busy      *provider.Busy
	LoadAsked bool // the probe asked for it
	// Limits are what the provider's page about the key says is left; they are in the
	// Limits of the Observation.
	Limits []provider.Limit
}

// Ask says how much a probe should find out.
type Ask struct {
	// Facts asks for version, models and loaded models too, if the kind needs further
	// requests for them. Without it the probe is only the deciding request.
	Facts bool
	// DialFirst tries a bare connect before anything else: the cheap way to probe a server
	// that was not there last time.
	DialFirst bool
	// Bare asks for a bare connect alone, which is no probe. The observation tells
	// something only if that was refused; otherwise its Saw is empty.
	Bare bool
	// Fresh gives up the kept connection, so that the evidence has every layer:
	// the look-up of the name, the dials, and the TLS handshake.
	Fresh bool
	// Part closes the connection after the probe, so that fewer are kept.
	Part bool
}
