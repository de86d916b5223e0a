package daemon

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/scarce"
)

// network remembers for a second whether this host has one: when it has none,
// everybody who cannot be reached asks.
type network struct {
	mu     sync.Mutex
	asked  time.Time
	link   bool // an interface that others could be reached by
	routed bool // and it leads to the rest of the world
}

// isOnline reports whether this host has a network that leads to the rest of the
// world or, where host is an address, to that.
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
	return hasRoute(net.JoinHostPort(host, "9")) // a network that ends in itself
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

// unassigned are addresses that stand for the rest of the world, and that nobody has
// (RFC 5737, RFC 3849).
var unassigned = []string{"198.51.100.1:9", "[2001:db8::1]:9"}

// hasRoute asks the kernel for a route to one of the addresses, by connecting
// datagram sockets: that sends nothing. Where there is no file to be opened for one it
// says yes.
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
