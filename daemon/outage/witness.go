package outage

import (
	"net/url"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A contact is what a probe of a remote provider says about this machine.
type contact uint8

const (
	unheard  contact = iota // nothing
	reached                 // something out there answered
	timedOut                // nothing did, perhaps through this machine's fault
	cutOff                  // nothing left this machine, or no resolver answered
)

// A Witness is what the probes of one remote provider say about this machine. The zero
// value says nothing.
type Witness struct {
	met    contact
	heard  time.Time // when that probe began
	failed time.Time // if it is a failure: when the first failed probe began
}

// A Remote is the witness for one host: two providers on one machine are one witness.
type Remote struct {
	Host string // as HostOf returns it
	Witness
}

// Take takes in a probe's result from a host. online reports whether this machine has a
// route there.
func (w Witness) Take(o *probe.Observation, host string, online func(host string) bool) Witness {
	failed := w.fails()
	w.met, w.heard = contactOf(o, host, online), o.Began
	if w.fails() && !failed {
		w.failed = o.Began
	}
	return w
}

// fails reports whether the contact may be this machine's fault.
func (w Witness) fails() bool { return w.met >= timedOut }

// contactOf reads the contact from an observation. Silence on an established connection
// says nothing: it may date from before the network went down.
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

// HostOf is the host, without port, on which a provider is probed over the network; empty
// for one on this machine, and for one that is not probed.
func HostOf(p *config.Provider) string {
	if p.KeyMissing != "" || p.AddressFault != "" || p.OnThisMachine() {
		return ""
	}
	if u, err := url.Parse(p.BaseURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return p.BaseURL
}
