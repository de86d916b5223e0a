package control

import (
	"maps"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/socket"
)

// reportEvery is how often a user who is not an administrator may report.
const reportEvery = time.Second

// A pace lets each user through once in reportEvery. Its zero value is ready to use.
type pace struct {
	mu    sync.Mutex
	last  map[reporter]time.Time
	swept time.Time // when those who may report again were last forgotten
}

// A reporter is a user. All users whom the kernel does not identify are one reporter, and so
// are all without a number in this namespace.
type reporter struct {
	known bool
	uid   uint32
}

// keptReporters is how many users are remembered before those who may report again are
// forgotten.
const keptReporters = 256

// take reports whether a user may report now.
func (p *pace) take(peer socket.Peer, now time.Time) bool {
	who := reporter{peer.Known, peer.UID}
	p.mu.Lock()
	defer p.mu.Unlock()
	if last, ok := p.last[who]; ok && now.Sub(last) < reportEvery {
		return false
	}
	if p.last == nil {
		p.last = make(map[reporter]time.Time)
	}
	if len(p.last) >= keptReporters && now.Sub(p.swept) >= reportEvery { // more often would find nobody, at a cost that grows with the users
		p.swept = now
		maps.DeleteFunc(p.last, func(_ reporter, last time.Time) bool { return now.Sub(last) >= reportEvery })
	}
	p.last[who] = now
	return true
}
