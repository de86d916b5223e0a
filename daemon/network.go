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

// isOnline reports whether this host has a network that leads anywhere.
func (n *network) isOnline() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now := time.Now(); n.asked.IsZero() || now.Sub(n.asked) >= time.Second {
		n.asked, n.online = now, hasLink() && hasRoute()
	}
	return n.online
}

// hasLink reports whether an interface is up, has its carrier, and an address that
// others could answer to. Where the interfaces cannot be listed it says yes, so
// that failures are put down to the providers as they were seen.
func hasLink() bool {
	interfaces, err := net.Interfaces()
	if err != nil {
		return true
	}
	for _, i := range interfaces {
		if i.Flags&(net.FlagUp|net.FlagRunning) != net.FlagUp|net.FlagRunning || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			return true
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
				return true
			}
		}
	}
	return false
}

// elsewhere are addresses that stand for the rest of the world, and that nobody has
// (RFC 5737, RFC 3849).
var elsewhere = []string{"198.51.100.1:9", "[2001:db8::1]:9"}

// hasRoute asks the kernel for a route to the rest of the world, by connecting
// datagram sockets: that sends nothing.
func hasRoute() bool {
	for _, address := range elsewhere {
		if conn, err := net.Dial("udp", address); err == nil {
			conn.Close()
			return true
		}
	}
	return false
}
