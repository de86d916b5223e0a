package daemon

import (
	"net"
	"sync"
	"time"
)

// network remembers for a second whether this host has one: when it has none,
// everybody who cannot be reached asks.
type network struct {
	mu     sync.Mutex
	asked  time.Time
	online bool
}

// isOnline reports whether this host has any address that others could answer to.
func (n *network) isOnline() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now := time.Now(); n.asked.IsZero() || now.Sub(n.asked) > time.Second {
		n.asked, n.online = now, hasAddress()
	}
	return n.online
}

// hasAddress sends nothing. Where the interfaces cannot be listed it says yes, so
// that failures are put down to the providers as they were seen.
func hasAddress() bool {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			return true
		}
	}
	return false
}
