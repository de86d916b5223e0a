package judge

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// A rule is what one situation means for a provider's state.
type rule struct {
	state    provider.State // empty: the state stays as it is
	definite bool           // one observation is enough
}

// rules are those of the vocabulary's table that an observation can lead to.
var rules = func() map[provider.Reason]rule {
	all := make(map[provider.Reason]rule)
	for _, m := range provider.Reasons {
		if m.Weight != "" {
			all[m.Reason] = rule{m.State, m.Weight == provider.AtOnce}
		}
	}
	return all
}()

// healthy reports whether the provider gave the answer that its kind promises.
func healthy(r provider.Reason) bool { return rules[r].state == provider.StateRunning }

// definite reports whether one observation is enough. A refused connection is
// proof on this machine, where nothing but the server answers for the port; across
// a network a firewall may refuse in its place. A server that says when to come
// back has said enough: it must not be asked before, to make sure.
func definite(reason provider.Reason, retryAt time.Time, p *config.Provider) bool {
	if reason == provider.ConnectionRefused {
		return p.OnThisMachine()
	}
	return rules[reason].definite || !retryAt.IsZero()
}
