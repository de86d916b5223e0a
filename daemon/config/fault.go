package config

import (
	"maps"
	"slices"

	"github.com/providerd/providerd/store/provider"
)

// A Fault says that the key, the authorities or the certificate that the file names for a
// provider cannot be used, or a credential of a notification. The file itself is right, and the
// others are not affected: the daemon starts without them, and the row says why. `config check`
// and a reload report it as an error.
type Fault struct {
	ID string // of the provider or the notification
	Problem
	// Denied is the file that this process may not read, though another user may; empty for
	// any other fault.
	Denied string
}

// FaultError is an [*Error] of the Faults except those that existed before; nil if none is
// left. A nil stands means that none did.
func (c *Config) FaultError(stands func(Fault) bool) error {
	e := &Error{Path: c.Path}
	for _, f := range c.Faults {
		switch {
		case stands != nil && stands(f):
		case len(e.Problems) == maxProblems:
			e.More++
		default:
			e.Problems = append(e.Problems, f.Problem)
		}
	}
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}

// HasFault reports whether a configuration has that fault, at any position in its file.
func (c *Config) HasFault(f Fault) bool {
	return slices.ContainsFunc(c.Faults, func(has Fault) bool { return has.ID == f.ID && has.Message == f.Message })
}

// Has reports whether a provider, which may be nil, has that fault.
func (p *Provider) Has(f Fault) bool {
	return p != nil && (p.KeyFault == f.Message || p.TLS != nil && slices.Contains(p.TLS.Faults, f.Message))
}

// NotifyHas reports whether a notification has that fault.
func (c *Config) NotifyHas(f Fault) bool {
	return slices.ContainsFunc(c.Notify, func(n Notify) bool { return n.ID == f.ID && slices.Contains(n.Faults, f.Message) })
}

// fault notes why something that the file names for an entry cannot be used.
func (r *reading) fault(id string, at span, f *flaw) {
	r.faults = append(r.faults, Fault{id, mistake{*f, at}.problem(r.doc.data), f.denied})
}

// warnOf warns about a flaw outside the file.
func (r *reading) warnOf(f *flaw) {
	if f.fix == "" {
		r.warn(nowhere, "%s", f.message)
		return
	}
	r.warn(nowhere, "%s: %s", f.message, f.fix)
}

// setAddressFault leaves the provider without an address.
func (p *Provider) setAddressFault(f *flaw) {
	p.BaseURL, p.Endpoint, p.AddressFault = "", "", f.message
	p.advise(f.message+": "+f.fix+", then restart providerd", provider.Misconfigured)
}

// setKeyFault leaves the provider without a key; then says how a new one is read.
func (p *Provider) setKeyFault(f *flaw, then string) {
	p.Key, p.KeyFault = Secret{}, f.message
	p.advise(f.message+": "+f.fix+then, provider.NoCredentials, provider.Unauthorized, provider.Forbidden)
}

// advise sets the provider's own hint for some reasons.
func (p *Provider) advise(text string, reasons ...provider.Reason) {
	own := maps.Clone(p.Hints)
	if own == nil {
		own = provider.Hints{}
	}
	for _, reason := range reasons {
		own[reason] = text
	}
	p.Hints = own
}
