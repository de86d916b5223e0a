//go:build !linux

package listener

import (
	"net"
	"net/netip"
)

// isLocal looks among the addresses of the interfaces.
func isLocal(address netip.Addr) (bool, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false, err
	}
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && prefix.Addr().WithZone("") == address.WithZone("") {
			return true, nil
		}
	}
	return false, nil
}
