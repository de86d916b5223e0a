package schedule

import (
	"time"

	"github.com/providerd/providerd/store/provider"
)

// networkDoubt is how old the results of other remote providers may be to count
// when one could not be reached for a reason that lies with this host.
const networkDoubt = 5 * time.Second

// watchNetwork notes whether a probe got off this host. When that begins to fail,
// the other remote providers are asked too: whether all of them fail alike tells an
// outage of theirs from one of ours. When it works again, so are those for whom it
// failed.
func (s *Scheduler) watchNetwork(e *entry, fault bool, now time.Time) {
	if e.hostFault == fault {
		return
	}
	e.hostFault = fault
	for _, other := range s.entries {
		if other != e && other.isRemote() && other.hostFault != fault && now.Sub(other.began) > networkDoubt &&
			s.declined(other, now, false) == "" {
			s.askInTime(other, now)
		}
	}
}

// offline reports whether this host has lost its network: it says so itself, or
// every remote provider that may be asked could not be, and there are several.
func (s *Scheduler) offline(now time.Time) bool {
	if !s.o.Online() {
		return true
	}
	faults := 0
	for _, e := range s.entries {
		switch {
		case !e.isRemote():
		case e.hostFault:
			faults++
		case s.declined(e, now, false) == "":
			return false
		}
	}
	return faults > 1
}

// isRemote reports whether the provider was asked over the network.
func (e *entry) isRemote() bool {
	return !e.began.IsZero() && e.rec.Saw != provider.NoCredentials && !e.cfg.OnThisMachine()
}
