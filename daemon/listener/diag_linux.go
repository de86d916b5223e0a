package listener

import (
	"errors"
	"net/netip"

	"github.com/providerd/providerd/store/sockdiag"
)

// lookup returns the socket that an arriving connection would reach.
func lookup(to netip.AddrPort) (Socket, error) { return socketOf(sockdiag.Find(to, netip.AddrPort{})) }

// socketOf describes a listening socket that a process holds.
func socketOf(s sockdiag.Socket, err error) (Socket, error) {
	switch {
	case errors.Is(err, sockdiag.ErrNone), err == nil && !s.Listening:
		return Socket{}, ErrNone
	case err != nil:
		return Socket{}, err
	case s.Inode == 0:
		return Socket{}, ErrOwnerless
	}
	return Socket{UID: s.UID, Inode: s.Inode}, nil
}
