package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/listener"
	"github.com/providerd/providerd/daemon/scarce"
	"github.com/providerd/providerd/store/userns"
)

// A Server is the server of a connection that ends on this machine.
type Server struct {
	Address  string  // reached: host and port, or the path of a Unix socket
	UID      *uint32 // of the listening socket's owner; nil: unknown
	Withheld string  // why the key must not be sent; empty if it may

	inode   uint64           // of that socket; 0: unknown
	process listener.Process // that holds it, if it was looked for
	looks   int              // how often that process was looked for
}

// IsDistrusted reports whether the key must be withheld from the server.
func (s *Server) IsDistrusted() bool { return s != nil && s.Withheld != "" }

// carryOver copies what is known about the process from an earlier connection to the same
// socket.
func (s *Server) carryOver(from *Server) {
	if s != nil && from != nil && s.inode != 0 && s.inode == from.inode {
		s.process, s.looks = from.process, from.looks
	}
}

// A listened is the kernel's answer to who listens at an address.
type listened struct {
	listener.Socket
	err error
}

// IsGuarded reports whether a key must not go to just any listener at the provider's
// address. Any user of this machine can listen at a vendor's default port, or where an
// environment variable points. An address in the configuration file is trusted by whoever
// wrote it, and TLS proves who answers.
func IsGuarded(p *config.Provider, scheme string, hasSecret bool) bool {
	return hasSecret && scheme == "http" && !p.BaseURLGiven
}

// askWhoListens asks for each address before it is dialled, if that matters. It fails if
// this machine has run out of the resources to ask: then no one can be called distrusted.
func (d *Dialer) askWhoListens(network string, addresses []string) ([]listened, error) {
	if !d.guarded || network != "tcp" {
		return nil, nil
	}
	before := make([]listened, len(addresses))
	for i, address := range addresses {
		if before[i] = d.whoListens(address); scarce.Is(before[i].err) {
			return nil, &DialError{Errs: []error{before[i].err}}
		}
	}
	return before, nil
}

func (d *Dialer) whoListens(address string) listened {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return listened{err: err}
	}
	s, err := d.listener(at)
	return listened{s, err}
}

// meet finds out who accepted a new connection. It asks after the connection was made, and
// for the exact address, because an earlier listener may be gone. before is the answer from
// before the dial, nil if there was no question. It fails as askWhoListens does.
func (d *Dialer) meet(c net.Conn, network, address string, before *listened) (*Server, error) {
	switch {
	case network == "unix":
		return behind(c, address), nil
	case network != "tcp":
		return nil, nil
	}
	here, err := endsHere(c, address)
	if before != nil && scarce.Is(err) {
		return nil, &DialError{Errs: []error{err}}
	}
	if !here && (err == nil || before == nil) {
		return nil, nil
	}
	after := listened{err: err}
	if err == nil {
		after = d.whoListens(address)
	}
	if before != nil && scarce.Is(after.err) {
		return nil, &DialError{Errs: []error{after.err}}
	}
	s := &Server{Address: address, inode: after.Inode}
	if after.err == nil && userns.KnownUser(after.UID) {
		s.UID = &after.UID
	}
	if before != nil {
		s.Withheld = distrust(*before, after, s.UID != nil, uint32(os.Geteuid()))
	}
	return s, nil
}

// behind is the server of a Unix socket.
func behind(c net.Conn, path string) *Server {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return nil
	}
	s := &Server{Address: path}
	uid, process, err := listener.Behind(u)
	if err == nil && userns.KnownUser(uid) {
		s.UID, s.process = &uid, process
	}
	return s
}

// endsHere reports whether a connection ends on this machine.
func endsHere(c net.Conn, address string) (bool, error) {
	if host, _, err := net.SplitHostPort(address); err == nil && config.IsLoopback(host) {
		return true, nil
	}
	local, ok := c.LocalAddr().(*net.TCPAddr)
	remote, ok2 := c.RemoteAddr().(*net.TCPAddr)
	if !ok || !ok2 {
		return false, nil
	}
	if local.IP.Equal(remote.IP) {
		return true, nil
	}
	return listener.IsHere(remote.AddrPort().Addr())
}

// distrust says why a listener may not have the key. It is empty if the listener belongs to
// root or to the daemon's own user, and was there before the connection was made, so that
// no other listener accepted it. known says whether the listener's user id is that of a
// single user.
func distrust(before, after listened, known bool, self uint32) string {
	switch {
	case errors.Is(after.err, listener.ErrUnsupported):
		return "this system does not say who listens there"
	case errors.Is(after.err, listener.ErrNone):
		return "no socket of this machine was found there"
	case errors.Is(after.err, listener.ErrOwnerless):
		return "no process holds the socket that listens there"
	case after.err != nil:
		return "could not find out who listens there: " + after.err.Error()
	case !known:
		return "a user of another namespace listens there"
	case after.UID != 0 && after.UID != self:
		return fmt.Sprintf("uid %d listens there", after.UID)
	case before.err != nil || before.Socket != after.Socket:
		return "the listener there has just changed"
	}
	return ""
}

// isKeyless reports whether the key must not be sent over a connection.
func isKeyless(c net.Conn) bool {
	watched, ok := c.(*Conn)
	return ok && watched.keyless
}

// mostLooks is how often the process behind a new socket is looked for, before only probes
// for all facts do so. It may be too young to be found at once, and it may always belong to
// another user.
const mostLooks = 3

// Process is the process that was found last; zero if none was.
func (s *Server) Process() listener.Process { return s.process }

// Find looks for the process that holds the socket, because the earlier one may have left
// it to another. all means that the probe asks for all facts.
func (s *Server) Find(among *listener.Processes, all bool) {
	if among == nil || s.inode == 0 || !all && s.looks >= mostLooks {
		return
	}
	s.looks++
	s.process = among.Holding(s.inode)
}
