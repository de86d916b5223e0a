package judge

import (
	"cmp"

	"github.com/providerd/providerd/store/provider"
)

// A Machine is this machine as a witness: that it cannot tell about a remote
// provider, until a probe of it settles something again.
type Machine struct {
	claim claim  // none: it can tell
	why   string // without what the last probe met
}

// out takes in that this machine cannot tell any more.
func (Machine) out(why string) Machine {
	return Machine{claim{provider.Offline, why}, why}
}

// met takes in what a probe met that was made meanwhile.
func (w Machine) met(detail string) Machine {
	w.why = cmp.Or(w.why, "this machine has no network")
	w.claim = claim{provider.Offline, join(w.why, detail)}
	return w
}
