// Package listener finds out who serves an address of this machine: the socket that a new
// connection would reach, its user and, if this process may see it, the process that holds
// it. It also finds out whether an address belongs to this machine at all. The prober asks
// before it sends a key, and to show a provider's pid.
//
// On Linux the kernel answers through sock_diag(7) and rtnetlink(7), which need no
// capability. On other systems only this machine's addresses are known.
//
// It imports the standard library, golang.org/x/sys, store/sockdiag and store/userns.
package listener

import (
	"errors"
	"fmt"
	"net/netip"
)

// A Socket is a listening socket, as it was when the kernel was asked.
type Socket struct {
	// UID is the socket's user, as numbered in the user namespace of this process. It can
	// stand for users without a number there: see
	// [github.com/providerd/providerd/store/userns].
	UID uint32
	// Inode tells one socket from another for as long as both are open. It is never 0.
	Inode uint64
}

var (
	// ErrNone means that no socket listens at the address.
	ErrNone = errors.New("nothing listens there")
	// ErrUnsupported means that this system does not say who listens.
	ErrUnsupported = errors.New("this system does not say who listens")
	// ErrOwnerless means that no process holds the socket. The kernel reports such a
	// socket as root's.
	ErrOwnerless = errors.New("no process holds the listening socket")
)

// At returns the socket that a connection from this machine to address reaches. The kernel
// chooses it: the most specific bind wins, and a wildcard of IPv6 can serve IPv4. At looks in
// the network namespace of the calling thread.
func At(address netip.AddrPort) (Socket, error) {
	s, err := lookup(netip.AddrPortFrom(address.Addr().Unmap().WithZone(""), address.Port()))
	if err != nil {
		return Socket{}, fmt.Errorf("ask who listens at %s: %w", address, err)
	}
	return s, nil
}
