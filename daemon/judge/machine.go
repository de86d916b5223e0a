package judge

import (
	"cmp"

	"github.com/providerd/providerd/store/provider"
)

// A Machine is this machine as a witness. It says that this machine cannot tell about a
// remote provider, until a probe settles something again.
type Machine struct {
	claim claim  // none: it can tell
	why   string // except what the last probe met
}

// out records that this machine can no longer tell.
func (Machine) out(why string) Machine {
	return Machine{claim{provider.Offline, why}, why}
}

// met records what a probe met meanwhile.
func (w Machine) met(detail string) Machine {
	w.why = cmp.Or(w.why, "this machine has no network")
	w.claim = claim{provider.Offline, join(w.why, detail)}
	return w
}
