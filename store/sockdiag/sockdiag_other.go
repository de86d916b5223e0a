//go:build !linux

package sockdiag

import "net/netip"

// Find is not supported on this system.
func Find(local, remote netip.AddrPort) (Socket, error) { return Socket{}, ErrUnsupported }
