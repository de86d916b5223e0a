// Package portwatch reports that a socket which listened at one of our ports was closed,
// within milliseconds of the close. The scheduler then asks the providers at that port
// whether they are still there.
//
// On Linux the kernel sends a message for each TCP socket that it destroys
// (NETLINK_SOCK_DIAG, SKNLGRP_INET_TCP_DESTROY). Every user may receive them, and they
// name no process. One socket serves all ports. A filter in the kernel passes only
// messages about ports that are followed and sockets without a peer, so the connections of
// this machine, however many, neither wake the daemon nor overrun the socket.
//
// A message is a reason to ask, and no evidence: another socket may listen at the same
// port. A socket in another network namespace, such as a container's, is not seen.
// Elsewhere than on Linux nothing is seen. Probing on a schedule finds what this misses.
//
// It imports the standard library, go-hclog and golang.org/x/sys.
package portwatch

import (
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Options of a Watch. Closed and Missed are required. They are called from [Watch.Run],
// one at a time, and must not block.
type Options struct {
	Log hclog.Logger // nil: silent
	// Closed is called if sockets at these ports may have stopped listening.
	Closed func(ports []uint16)
	// Missed is called if messages were lost: any port may be closed.
	Missed func()
}

// A Watch follows ports of this machine.
type Watch struct {
	o       Options
	changed chan struct{} // Follow was called; holds one

	mu     sync.Mutex
	ports  []uint16 // sorted, each once
	socket *socket  // nil: none is open
}

// mostMessages is how many messages a second are worth reading. Only somebody who opens
// and closes sockets at our ports on purpose causes more.
const mostMessages = 5000

// New makes a Watch that follows no port.
func New(o Options) *Watch {
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	return &Watch{o: o, changed: make(chan struct{}, 1)}
}

// Follow replaces the ports that are followed. A watch that was switched off begins again.
func (w *Watch) Follow(ports []uint16) {
	ports = slices.Clone(ports)
	slices.Sort(ports)
	ports = slices.Compact(ports)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ports = ports
	if w.socket != nil {
		err := w.socket.filter(ports)
		if err == nil {
			return
		}
		w.o.Log.Warn("cannot follow other ports", "error", err)
		w.socket.close() // Run opens another
		w.socket = nil
	}
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// A rate counts messages in the second that began last.
type rate struct {
	began time.Time
	n     int
}

// add counts n messages, and reports whether there were too many within a second.
func (r *rate) add(n int, now time.Time) (tooMany bool) {
	if now.Sub(r.began) >= time.Second {
		*r = rate{began: now}
	}
	r.n += n
	return r.n > mostMessages
}
