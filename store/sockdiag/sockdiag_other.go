//go:build !linux

package sockdiag

import "net/netip"

// Find asks nobody on this system.
func Find(local, remote netip.AddrPort) (Socket, error) { return Socket{}, ErrUnsupported }
