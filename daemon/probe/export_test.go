package probe

import "github.com/providerd/providerd/daemon/probe/transport"

// Over makes p send its requests over t, which needs no network.
func (p *Prober) Over(t transport.RoundTripper) { p.transport = transport.Over(t) }

// Clean cleans a text from outside as for an Observation.
func (p *Prober) Clean(s string, limit int) string {
	p.clean.begin()
	return p.clean.line(s, limit)
}

// Many is the source that shows that a kind's server serves many connections at once;
// empty: none does.
func Many(name string) string {
	for _, k := range table {
		if k.Name == name {
			return k.many
		}
	}
	return ""
}
