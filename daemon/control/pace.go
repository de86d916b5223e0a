package control

import (
	"maps"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/socket"
)

// reportEvery is how often a user who is no administrator may report.
const reportEvery = time.Second

// A pace lets each user through once in reportEvery. Its zero value lets everybody
// through.
type pace struct {
	mu    sync.Mutex
	last  map[reporter]time.Time
	swept time.Time // when those who may report again were last forgotten
}

// A reporter is a user. Those of whom the kernel tells nothing are one, and so are all
// who have no number here.
type reporter struct {
	known bool
	uid   uint32
}

// keptReporters is how many users are remembered before those are forgotten who may
// report again.
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
	if len(p.last) >= keptReporters && now.Sub(p.swept) >= reportEvery { // more often finds nobody, and costs as much as there are users
		p.swept = now
		maps.DeleteFunc(p.last, func(_ reporter, last time.Time) bool { return now.Sub(last) >= reportEvery })
	}
	p.last[who] = now
	return true
}
