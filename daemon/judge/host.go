package judge

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// A Host says how this machine itself stands while a probe is judged.
type Host uint8

const (
	// HostFine: what the probe saw is the provider's.
	HostFine Host = iota
	// HostInDoubt: it may be this machine's, and that is being found out. Until then
	// the row says what it said.
	HostInDoubt
	// HostOut: this machine cannot tell about remote providers.
	HostOut
)

// told is what was last said of a provider.
type told struct {
	state  provider.State
	reason provider.Reason
}

// Blackout says of a provider that this machine cannot tell any more, and why. It
// is no event of the provider: one of the host's tells it for all.
func Blackout(r Record, why string, p *config.Provider, now time.Time) Record {
	was := r.Status
	r.blackout = why
	r.undecided, r.Doubts = false, 0
	r.found = situation{} // nor can it until a probe comes back
	r.become(provider.Offline, why, p)
	r, _ = r.close(was, now)
	return r
}

// Resume reminds a record that was restored, and says offline, of what was told
// before.
func Resume(r Record, state provider.State, reason provider.Reason) Record {
	r.told = told{state, reason}
	return r
}

// lastTold is what an event begins from: of a row that said offline it is what was
// told before, so that an outage of this machine is none of the provider's.
func (r *Record) lastTold(was provider.Status) told {
	last := told{was.State, was.Reason}
	if was.Reason == provider.Offline && r.told != (told{}) {
		last = r.told
	}
	if r.Status.Reason == provider.Offline {
		r.told = last
	} else {
		r.told, r.blackout = told{}, ""
	}
	return last
}
