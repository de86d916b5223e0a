package probe

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/listener"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/userns"
)

// A server is who serves a connection that ends on this machine.
type server struct {
	address  string           // that was reached
	uid      *uint32          // whose the listening socket is; nil: not known
	inode    uint64           // of that socket; 0: not known
	process  listener.Process // that holds it, as far as it was looked for
	looks    int              // for that process
	withheld string           // why the key may not be sent; empty when it may
}

// isDistrusted reports whether the key must be kept from the server.
func (s *server) isDistrusted() bool { return s != nil && s.withheld != "" }

// carryOver takes over what is known of the process from an earlier connection to
// the same socket.
func (s *server) carryOver(from *server) {
	if s != nil && from != nil && s.inode != 0 && s.inode == from.inode {
		s.process, s.looks = from.process, from.looks
	}
}

// A listened is what the kernel said of who listens at an address.
type listened struct {
	listener.Socket
	err error
}

// isGuarded reports whether a key must not go to just anybody who listens where the
// provider is expected. Any user of this machine can listen at a vendor's default
// port, or where a variable of the environment points. What the configuration file
// says is that its writer trusts the address; TLS proves who answers.
func isGuarded(p *config.Provider, scheme string, hasSecret bool) bool {
	return hasSecret && scheme == "http" && !p.BaseURLGiven
}

// askWhoListens asks for each address before it is dialled, if that matters.
func (d *dialer) askWhoListens(network string, addresses []string) []listened {
	if !d.guarded || network != "tcp" {
		return nil
	}
	before := make([]listened, len(addresses))
	for i, address := range addresses {
		before[i] = d.whoListens(address)
	}
	return before
}

func (d *dialer) whoListens(address string) listened {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return listened{err: err}
	}
	s, err := d.listener(at)
	return listened{s, err}
}

// meet finds out whom a new connection reached. It asks after the connection was
// made, and for the very address: whoever was there before may be gone. Before is
// what was answered before the dial, nil when it was not asked.
func (d *dialer) meet(c net.Conn, network, address string, before *listened) *server {
	switch {
	case network == "unix":
		return behind(c, address)
	case network != "tcp" || !endsHere(c, address):
		return nil
	}
	after := d.whoListens(address)
	s := &server{address: address, inode: after.Inode}
	if after.err == nil && userns.KnownUser(after.UID) {
		s.uid = &after.UID
	}
	if before != nil {
		s.withheld = distrust(*before, after, s.uid != nil, uint32(os.Geteuid()))
	}
	return s
}

// behind is who serves a Unix socket.
func behind(c net.Conn, path string) *server {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return nil
	}
	s := &server{address: path}
	uid, process, err := listener.Behind(u)
	if err == nil && userns.KnownUser(uid) {
		s.uid, s.process = &uid, process
	}
	return s
}

// endsHere reports whether a connection leads to this machine itself.
func endsHere(c net.Conn, address string) bool {
	if host, _, err := net.SplitHostPort(address); err == nil && config.IsLoopback(host) {
		return true
	}
	local, ok := c.LocalAddr().(*net.TCPAddr)
	remote, ok2 := c.RemoteAddr().(*net.TCPAddr)
	return ok && ok2 && local.IP.Equal(remote.IP)
}

// distrust says why a listener may not have the key, and is empty when it may: it is
// root's, or the daemon's own user's, and it was there before the connection was
// made, so that the connection is not one that another had accepted. Known says
// whether the id of its user is that of one.
func distrust(before, after listened, known bool, self uint32) string {
	switch {
	case errors.Is(after.err, listener.ErrUnsupported):
		return "this system does not tell who listens there"
	case errors.Is(after.err, listener.ErrNone):
		return "no socket of this machine was found there"
	case errors.Is(after.err, listener.ErrOwnerless):
		return "no process holds the socket that listens there"
	case after.err != nil:
		return "it is not known who listens there: " + after.err.Error()
	case !known:
		return "a user of another namespace listens there"
	case after.UID != 0 && after.UID != self:
		return fmt.Sprintf("uid %d listens there", after.UID)
	case before.err != nil || before.Socket != after.Socket:
		return "who listens there has just changed"
	}
	return ""
}

// isKeyless reports whether the key must not be sent over a connection.
func isKeyless(c net.Conn) bool {
	watched, ok := c.(*conn)
	return ok && watched.keyless
}

// meets notes that the connection in use, if one stands, is not trusted with the key.
func (r *run) meets() {
	if s := r.server(); s.isDistrusted() && r.reached() {
		r.withheld = fmt.Sprintf("the key was not sent to %s: %s", s.address, s.withheld)
	}
}

// server is who serves the provider, as met last; nil when it is not on this machine.
// What lies behind a proxy is not known.
func (r *run) server() *server {
	if r.p.proxy != nil {
		return nil
	}
	return r.p.dialer.servedBy()
}

// mostLooks is how often the process behind a new socket is looked for before it is
// left to the probes that ask for all facts: it may be too young to be found at
// once, and may be another user's for ever.
const mostLooks = 3

// process is the one that serves the provider, or did when one last answered; and
// whether it exists. It is looked for only where a connection of this probe stands.
func (r *run) process() (pid int, exists *bool) {
	s := r.server()
	if s == nil {
		return 0, nil
	}
	known := s.process.PID != 0
	there := known && (r.reached() && !r.facts || s.process.Exists()) // to look each time would cost a tenth of a probe
	if !there && r.reached() {
		s.find(r.p.processes, r.facts)
		there = s.process.PID != 0
	}
	if s.process.PID == 0 {
		return 0, nil
	}
	return s.process.PID, &there
}

// find looks for the process that holds the socket: the one that did may have left it
// to another.
func (s *server) find(among *listener.Processes, facts bool) {
	if among == nil || s.inode == 0 || !facts && s.looks >= mostLooks {
		return
	}
	s.looks++
	s.process = among.Holding(s.inode)
}

// listenerStep is the same as evidence.
func (r *run) listenerStep(pid int) *provider.ListenerStep {
	s := r.server()
	if s == nil || !r.reached() {
		return nil
	}
	return &provider.ListenerStep{Address: s.address, UID: s.uid, PID: pid, KeyWithheld: s.withheld}
}

// withoutKey is what a verdict means when the key was not sent: that it was missed
// is no word about the key.
func (r *run) withoutKey(found finding) finding {
	if r.withheld == "" {
		return found
	}
	switch found.saw {
	case provider.Unauthorized, provider.Forbidden, provider.NoCredentials:
		found.saw, found.detail = provider.KeyWithheld, r.withheld
	case provider.OK, provider.ScopeLimited:
		found.detail = joined(r.withheld, found.detail)
		if found.facts.Note != "" { // which would be shown in place of the detail
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
