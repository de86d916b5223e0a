package judge

import (
	"fmt"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// Probes are our own probes as a witness.
type Probes struct {
	Saw provider.Reason // what the last one saw, whether or not it settled anything

	settled claim     // what they saw often enough; none before that and after an outage of this machine
	broke   claim     // the last one failed by itself, which says nothing about the provider
	hint    string    // what to do about settled, if more is known than the reason's own hint
	retryAt time.Time // given by the provider to the last probe that settled something
}

// settle accepts an observation that is enough by itself or was seen often enough.
func (w Probes) settle(found claim, o *probe.Observation) Probes {
	w.settled, w.broke, w.hint, w.retryAt = found, claim{}, "", o.RetryAt
	if found.reason == o.Saw {
		w.hint = o.Hint
	}
	return w
}

// broken records that the last probe failed by itself.
func (w Probes) broken(o *probe.Observation) Probes {
	w.broke = claim{o.Saw, o.Detail}
	return w
}

// forget drops what the probes found, so that the next one settles what holds.
func (w Probes) forget() Probes {
	w.settled, w.broke, w.hint = claim{}, claim{}, ""
	return w
}

// resumed records that a person resumed the probing. Only the provider's request to wait
// still holds.
func (w Probes) resumed(now time.Time) Probes {
	limited := w.settled.reason == provider.RateLimited && w.retryAt.After(now)
	w = w.forget()
	if limited {
		w.settled = claim{provider.RateLimited, waitsForRetry}
	}
	return w
}

// known reports whether the probes have settled the provider's state.
func (w *Probes) known() bool {
	return !w.settled.none() && stateOf(w.settled.reason) != provider.StateUnknown
}

// claimOf turns what a probe saw into what holds for the provider: the facts of a provider
// that is up can still limit its use. slows is how often in a row it was slow.
func claimOf(o *probe.Observation, f *Facts, slows int, p *config.Provider) claim {
	if !o.Saw.Healthy() {
		return claim{o.Saw, o.Detail}
	}
	if f.Models != nil {
		if len(f.Models) == 0 {
			return claim{provider.NoModels, "it lists no models"}
		}
		if missing := missingModels(p, f.Models); len(missing) > 0 {
			return claim{provider.ModelMissing, "missing: " + list(missing)}
		}
	}
	if slows >= p.Fall {
		return claim{provider.Slow, fmt.Sprintf("answered in %s, slow_after is %s",
			o.Latency.Round(time.Millisecond), p.SlowAfter)}
	}
	if f.Note != "" {
		return claim{o.Saw, f.Note}
	}
	return claim{o.Saw, o.Detail}
}
