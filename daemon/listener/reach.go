package listener

import (
	"fmt"
	"net/netip"
)

// IsHere reports whether this machine itself is at an address, in the network
// namespace of the calling thread. The ends of a connection do not tell: one to the
// second address of an interface comes from the first.
func IsHere(address netip.Addr) (bool, error) {
	address = address.Unmap()
	if address.IsLoopback() {
		return true, nil
	}
	here, err := isLocal(address)
	if err != nil {
		return false, fmt.Errorf("ask where %s is: %w", address, err)
	}
	return here, nil
}
