package control

import (
	"sync"

	"github.com/providerd/providerd/daemon/socket"
)

// connsOfOne is how many connections one user can count on where there are
// enough: a program that asks a thousand times at once is no attack.
const connsOfOne = 1024

// connsPerUser is the share of one user: a quarter, and more where there are not
// many, but never all.
func connsPerUser(conns int) int {
	return max(conns/4, min(connsOfOne, conns*3/4))
}

// A gate bounds the connections that are open at once, and how many of them one
// user may hold, so that no user can shut out the rest. Root and the daemon's
// own user, who could stop the daemon anyway, have no bound of their own, and
// the last places are kept for them.
//
// When there is no place for a process, one is taken from the process that has
// the most, if that is more than its own: so a process that opens all it can
// shuts out only itself, though it be of the same user. This is fairness and no
// permission, so that a pid will do.
type gate struct {
	max, perUser, kept int
	owner              uint32

	mu        sync.Mutex
	total     int
	byUID     map[uint32]int
	byProcess map[socket.Process]*share
}

// A share is what a process has of the server.
type share struct {
	conns map[*conn]struct{}
	slots cpuSlots
}

func newGate(maxConns, perUser int, owner uint32) gate {
	return gate{
		max:       maxConns,
		perUser:   perUser,
		kept:      min(16, maxConns/16),
		owner:     owner,
		byUID:     make(map[uint32]int),
		byProcess: make(map[socket.Process]*share),
	}
}

// enter takes a place for c, and reports whether there was one. The caller closes
// evicted, if there is one: it has lost its place to c.
func (g *gate) enter(c *conn) (evicted *conn, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	free := g.max
	over := false
	if !g.isTrusted(c.peer.Process()) {
		free -= g.kept
		over = c.peer.Known && g.byUID[c.peer.UID] >= g.perUser
	}
	if over || g.total >= free {
		if evicted = g.dispensable(c.peer.Process(), over); evicted == nil {
			return nil, false
		}
		g.remove(evicted)
	}
	g.add(c)
	return evicted, true
}

// isTrusted: nothing is gained by keeping this one out.
func (g *gate) isTrusted(p socket.Process) bool {
	return p.Known && !p.AnyUser && (p.UID == 0 || p.UID == g.owner)
}

// dispensable is the connection that has to go for a new one of p; nil: p has
// enough itself. It is one of the greediest process's: of p's own user when that
// one is at its bound, else of the greediest user. Nobody takes a place from
// those that are trusted but they themselves.
func (g *gate) dispensable(p socket.Process, ofSameUser bool) *conn {
	var worst socket.Process
	var most *share
	for other, s := range g.byProcess {
		switch {
		case ofSameUser && (!other.Known || other.UID != p.UID):
		case g.isTrusted(other) && !g.isTrusted(p):
		case most == nil, g.greedier(other, worst):
			worst, most = other, s
		}
	}
	if most == nil {
		return nil
	}
	// With one place more, p must not be as greedy: or else two would take it
	// from each other for ever.
	if worst.Known == p.Known && worst.UID == p.UID {
		if len(most.conns) <= g.held(p)+1 {
			return nil
		}
	} else if g.ofUser(worst) <= g.ofUser(p)+1 {
		return nil
	}
	return most.idlest()
}

func (g *gate) greedier(a, b socket.Process) bool {
	if x, y := g.ofUser(a), g.ofUser(b); x != y {
		return x > y
	}
	return g.held(a) > g.held(b)
}

// ofUser is how many connections the user of p has.
func (g *gate) ofUser(p socket.Process) int {
	if !p.Known {
		return g.held(p)
	}
	return g.byUID[p.UID]
}

// held is how many connections p has itself.
func (g *gate) held(p socket.Process) int {
	if s := g.byProcess[p]; s != nil {
		return len(s.conns)
	}
	return 0
}

// idlest is the connection that has been silent for the longest, or else the one
// that has waited for its reply for the longest.
func (s *share) idlest() (found *conn) {
	for c := range s.conns {
		if found == nil || c.moreIdle(found) {
			found = c
		}
	}
	return found
}

func (g *gate) add(c *conn) {
	p := c.peer.Process()
	s := g.byProcess[p]
	if s == nil {
		s = &share{conns: make(map[*conn]struct{}), slots: newCPUSlots()}
		g.byProcess[p] = s
	}
	s.conns[c] = struct{}{}
	c.slots = s.slots
	g.total++
	if p.Known {
		g.byUID[p.UID]++
	}
}

// makeRoom takes the place of the connection that can be done without most easily, and
// returns it to be closed; nil when there is none that rests.
func (g *gate) makeRoom() *conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	var found *conn
	for _, s := range g.byProcess {
		if c := s.idlest(); !c.replying.Load() && (found == nil || c.moreIdle(found)) {
			found = c
		}
	}
	if found != nil {
		g.remove(found)
	}
	return found
}

// leave gives the place of c back, if it still has it.
func (g *gate) leave(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.remove(c)
}

func (g *gate) remove(c *conn) {
	p := c.peer.Process()
	s := g.byProcess[p]
	if s == nil {
		return
	}
	if _, there := s.conns[c]; !there {
		return
	}
	if delete(s.conns, c); len(s.conns) == 0 {
		delete(g.byProcess, p)
	}
	g.total--
	if !p.Known {
		return
	}
	if g.byUID[p.UID]--; g.byUID[p.UID] == 0 {
		delete(g.byUID, p.UID)
	}
}
