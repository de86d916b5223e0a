//go:build !linux

package listener

import "net/netip"

func lookup(netip.AddrPort) (Socket, error) { return Socket{}, ErrUnsupported }
