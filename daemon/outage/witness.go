package outage

import (
	"net/url"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A contact is what a probe of a remote provider tells of this machine.
type contact uint8

const (
	unheard  contact = iota // nothing
	reached                 // something out there answered
	timedOut                // nobody did, which may be ours
	cutOff                  // nothing left this machine, or no resolver answered
)

// A Witness is what the probes of one remote provider tell of this machine. Its zero
// value tells nothing.
type Witness struct {
	met    contact
	heard  time.Time // when that probe began
	failed time.Time // while it is a failure: when the first such probe began
}

// A Remote is the witness on one host: two providers on one machine are one witness.
type Remote struct {
	Host string // as HostOf has it
	Witness
}

// Take takes in what a probe of a host met. Online is the machine's word on whether it
// has a network that leads there.
func (w Witness) Take(o *probe.Observation, host string, online func(host string) bool) Witness {
	failed := w.fails()
	w.met, w.heard = contactOf(o, host, online), o.Began
	if w.fails() && !failed {
		w.failed = o.Began
	}
	return w
}

// fails reports whether what was met may be this machine's fault.
func (w Witness) fails() bool { return w.met >= timedOut }

// contactOf reads that from an observation. Silence on a connection tells nothing: it
// may have been made before the network went away.
func contactOf(o *probe.Observation, host string, online func(host string) bool) contact {
	switch o.Saw {
	case provider.NoCredentials, provider.Misconfigured, provider.ProbeFailed, provider.Hung, provider.ConnectionReset:
		return unheard
	case provider.ConnectTimeout:
		return timedOut
	case provider.DNSFailure, provider.NetworkUnreachable:
		if o.HostFault || !online(host) {
			return cutOff
		}
		return unheard // "no such host" may come from a cache on this machine
	}
	return reached
}

// HostOf is the host that a provider is asked on over the network, without its port;
// empty for one on this machine, or that is not asked.
func HostOf(p *config.Provider) string {
	if p.KeyMissing != "" || p.AddressFault != "" || p.OnThisMachine() {
		return ""
	}
	if u, err := url.Parse(p.BaseURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return p.BaseURL
}
