package probe

import (
	"cmp"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// unaskable is why nothing can be sent to the provider; a zero finding if it can be
// asked.
func (p *Prober) unaskable() finding {
	switch {
	case p.provider.AddressFault != "":
		return finding{saw: provider.Misconfigured, detail: p.provider.AddressFault}
	case p.kind.KeyNeeded && p.provider.Key.IsZero():
		return finding{saw: provider.NoCredentials, detail: missingKey(p.provider)}
	}
	return finding{}
}

// missingKey says where the key should be.
func missingKey(p *config.Provider) string {
	if p.KeyMissing == "" {
		return cmp.Or(p.KeyFault, "no key is configured")
	}
	return cmp.Or(p.KeyFault, p.KeyMissing+" is not set")
}

// withoutFault adds to a verdict that the key cannot be used: a kind that needs none was
// probed without it.
func (p *Prober) withoutFault(found finding) finding {
	fault := p.provider.KeyFault
	if fault == "" || p.kind.KeyNeeded {
		return found
	}
	switch found.saw {
	case provider.Unauthorized, provider.Forbidden:
		found.detail = fault
	case provider.OK:
		if found.facts.Note != "" {
			found.facts.Note = joined("probed without its key: "+fault, found.facts.Note)
		} else {
			found.detail = joined("probed without its key: "+fault, found.detail)
		}
	}
	return found
}
