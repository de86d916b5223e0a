package probe

import (
	"fmt"
	"net/url"

	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/store/provider"
)

// meets notes if the listener behind the current connection is not trusted with the key.
func (r *run) meets() {
	switch s := r.server(); {
	case !r.reached():
	case r.p.keyless != "":
		r.withheld = r.p.keyless
	case s.IsDistrusted():
		r.withheld = fmt.Sprintf("the key was not sent to %s: %s", s.Address, s.Withheld)
	}
}

// unguarded says why a guarded key is not sent at all, if the transport does not find out
// who listens. A variable may name any proxy, and anybody may listen where a proxy on this
// machine would be.
func unguarded(proxy *url.URL) string {
	if proxy == nil {
		return "the key was not sent to a host whose name is not ASCII"
	}
	return fmt.Sprintf("the key was not sent through the proxy %s: it would go in plain text", proxy.Host)
}

// server is who served the provider last; nil if it is not on this machine. What is behind
// a proxy is not known.
func (r *run) server() *transport.Server {
	if r.p.proxy != nil {
		return nil
	}
	return r.p.dialer.Server()
}

// process is the process that serves the provider, or did when it last answered, and
// whether it still exists. It is looked for only if this probe has a connection.
func (r *run) process() (pid int, exists *bool) {
	s := r.server()
	if s == nil {
		return 0, nil
	}
	// A thorough search each time would cost a tenth of a probe.
	there := r.reached() && !r.facts && s.Process().MayExist() || s.Process().Exists()
	if !there && r.reached() {
		s.Find(r.p.processes, r.facts)
		there = s.Process().PID != 0
	}
	if s.Process().PID == 0 {
		return 0, nil
	}
	return s.Process().PID, &there
}

// listenerStep is the listener as evidence.
func (r *run) listenerStep(pid int) *provider.ListenerStep {
	s := r.server()
	if s == nil || !r.reached() {
		return nil
	}
	return &provider.ListenerStep{Address: s.Address, UID: s.UID, PID: pid, KeyWithheld: s.Withheld}
}

// withoutKey is what a verdict means if the key was not sent: that the key is missing then
// says nothing about it.
func (r *run) withoutKey(found finding) finding {
	if r.withheld == "" {
		return found
	}
	switch saw := found.saw; {
	case saw == provider.Unauthorized, saw == provider.Forbidden, saw == provider.NoCredentials:
		found.saw, found.detail, found.hint = provider.KeyWithheld, r.withheld, ""
	case saw.Healthy():
		if r.p.kind.KeyNeeded { // the vendor's own wants a key, so this is another server
			found.saw, found.detail = provider.KeyWithheld, r.withheld
			return found
		}
		found.detail = joined(r.withheld, found.detail)
		if found.facts.Note != "" { // it would be shown instead of the detail
			found.facts.Note = joined(r.withheld, found.facts.Note)
		}
	}
	return found
}

func joined(a, b string) string {
	if b == "" {
		return a
	}
	return a + "; " + b
}
