package judge

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// stateOf is the state that a reason stands for; empty if the state stays, as for a reason
// that no probe can see.
func stateOf(r provider.Reason) provider.State {
	m := r.Meaning()
	if m.Weight == "" {
		return ""
	}
	return m.State
}

// definite reports whether one observation is enough. A refused connection is proof on this
// machine, where only the server answers for the port; across a network a firewall may
// refuse in its place. A server that says when to come back has said enough: it must not be
// probed before then to make sure.
func definite(reason provider.Reason, retryAt time.Time, p *config.Provider) bool {
	if reason == provider.ConnectionRefused {
		return p.OnThisMachine()
	}
	return reason.Meaning().Weight == provider.AtOnce || !retryAt.IsZero()
}
