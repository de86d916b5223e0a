package control

import (
	"github.com/providerd/providerd/daemon/socket"
	"github.com/providerd/providerd/store/provider"
)

// An operation is a class of requests that need the same permission.
type operation uint8

const (
	// opRead is open to everybody who may connect. It includes refreshing: refreshes are
	// coalesced, and a provider is probed at most once a second.
	opRead operation = iota
	// opAdmin changes the daemon, or shows its log, which may reveal more than the rows:
	// paths, and who requested what.
	opAdmin
)

// A policy says who is an administrator.
type policy struct {
	owner  uint32 // the daemon's own user
	admin  *Group // nil: no group
	shared bool   // everybody can connect
}

func (s *Server) policy() policy { return policy{s.owner, s.admin.Load(), s.shared} }

// allows reports whether p may do op.
func (y policy) allows(p socket.Peer, op operation) bool {
	switch {
	case op == opRead, p.Untold && !y.shared:
		return true
	case !p.Known, p.AnyUser: // a user who may be anybody counts as nobody, even with root's number
		return false
	}
	return p.UID == 0 || p.UID == y.owner || y.admin != nil && p.In(y.admin.GID)
}

// denied tells p what it may not do, as a phrase, and what to type instead. The command
// line does the same.
func (y policy) denied(p socket.Peer, phrase, command string) *provider.Error {
	hint := "sudo " + command
	switch {
	case p.AnyUser: // root of another namespace is nobody here, and no group helps
		hint = "as root inside the daemon's own namespace or container: " + hint
	case y.admin != nil:
		hint += "; or join its administrators, then log in again: sudo usermod -aG " + y.admin.Name + " $USER"
	}
	who := "this user"
	if p.Known {
		who = p.String()
	}
	return provider.Errorf(provider.Denied, hint, "access denied: %s may not %s", who, phrase)
}
