package daemon

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/scarce"
)

// network remembers for a second whether this host has one. Without a network every
// provider becomes unreachable, and each asks.
type network struct {
	mu     sync.Mutex
	asked  time.Time
	link   bool // an interface is up that could reach others
	routed bool // and it has a route to the rest of the world
}

// isOnline reports whether this host has a route to the rest of the world or, if host is an
// address, to that address.
func (n *network) isOnline(host string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now := time.Now(); n.asked.IsZero() || now.Sub(n.asked) >= time.Second {
		n.asked, n.link = now, hasLink()
		n.routed = n.link && hasRoute(unassigned...)
	}
	if _, err := netip.ParseAddr(host); err != nil || n.routed || !n.link {
		return n.routed
	}
	return hasRoute(net.JoinHostPort(host, "9")) // perhaps an isolated network
}

// hasLink reports whether an interface is up, has a carrier, and has an address that others
// could answer to. If the interfaces cannot be listed it returns true, so that failures
// count against the providers.
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

// unassigned are addresses that stand for the rest of the world. They are reserved for
// documentation (RFC 5737, RFC 3849).
var unassigned = []string{"198.51.100.1:9", "[2001:db8::1]:9"}

// hasRoute asks the kernel for a route to one of the addresses by connecting datagram
// sockets, which sends nothing. If no file can be opened it returns true.
func hasRoute(addresses ...string) bool {
	for _, address := range addresses {
		conn, err := net.Dial("udp", address)
		if scarce.Is(err) {
			return true
		}
		if err == nil {
			conn.Close()
			return true
		}
	}
	return false
}
