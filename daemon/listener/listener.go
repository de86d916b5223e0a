// Package listener tells who serves an address of this machine: the socket that a
// new connection would reach, the user it belongs to and, where this process may
// look, the process that holds it; and whether an address is this machine's at all. The
// prober asks before it gives a key away, and to show a provider's pid.
//
// On Linux the kernel answers through sock_diag(7) and rtnetlink(7), which need no
// capability. Elsewhere only this machine's addresses are known.
//
// It imports the standard library, golang.org/x/sys and store/userns.
package listener

import (
	"errors"
	"fmt"
	"net/netip"
)

// A Socket is one that listens, as the kernel had it when it was asked.
type Socket struct {
	// UID is the user the socket belongs to, as this process's user namespace
	// numbers it. It may stand for users that have no number there: see
	// [github.com/providerd/providerd/store/userns].
	UID uint32
	// Inode tells one socket from another for as long as both are open. It is never 0.
	Inode uint64
}

var (
	// ErrNone means that no socket listens there.
	ErrNone = errors.New("nothing listens there")
	// ErrUnsupported means that this system does not tell who listens.
	ErrUnsupported = errors.New("this system does not tell who listens")
	// ErrOwnerless means that no process holds the socket. The kernel reports such a
	// socket as root's.
	ErrOwnerless = errors.New("no process holds the socket that listens there")
)

// At returns the socket that a connection from this machine to address reaches, by
// the kernel's own choice: the most specific bind wins, and a wildcard of IPv6 may
// serve IPv4. It looks in the network namespace of the calling thread.
func At(address netip.AddrPort) (Socket, error) {
	s, err := lookup(netip.AddrPortFrom(address.Addr().Unmap().WithZone(""), address.Port()))
	if err != nil {
		return Socket{}, fmt.Errorf("ask who listens at %s: %w", address, err)
	}
	return s, nil
}
