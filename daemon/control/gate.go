package control

import (
	"sync"

	"github.com/providerd/providerd/daemon/socket"
)

// connsOfOne is how many connections one user can count on if there are enough: a program
// that makes a thousand requests at once is no attack.
const connsOfOne = 1024

// connsPerUser is the share of one user: a quarter, more if there are few, but never all.
func connsPerUser(conns int) int {
	return max(conns/4, min(connsOfOne, conns*3/4))
}

// A gate limits how many connections are open at once, and how many of them one user holds,
// so that no user can shut out the rest. Root and the daemon's own user, who could stop the
// daemon anyway, have no limit of their own, and the last places are reserved for them.
//
// When there is no place for a process, one is taken from the process that holds the most,
// if that is more than its own. A process that opens all it can thus shuts out only itself,
// even among processes of the same user. This is fairness, not permission, so a pid is good
// enough.
type gate struct {
	max, perUser, kept int
	owner              uint32

	mu        sync.Mutex
	total     int
	byUID     map[uint32]int
	byProcess map[socket.Process]*share
}

// A share is what one process holds of the server.
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

// enter takes a place for c, and reports whether there was one. If evicted is not nil, it
// has lost its place to c, and the caller closes it.
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

// isTrusted reports whether nothing is gained by keeping p out.
func (g *gate) isTrusted(p socket.Process) bool {
	return p.Known && !p.AnyUser && (p.UID == 0 || p.UID == g.owner)
}

// dispensable is the connection that must make room for a new one of p; nil: p has enough
// itself. It belongs to the greediest process: of p's own user if that user is at the limit,
// otherwise of the greediest user. Only trusted users take places from trusted users.
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
	// With one more place, p must not become as greedy: otherwise two processes would
	// take it from each other for ever.
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

// ofUser is how many connections the user of p holds.
func (g *gate) ofUser(p socket.Process) int {
	if !p.Known {
		return g.held(p)
	}
	return g.byUID[p.UID]
}

// held is how many connections p itself holds.
func (g *gate) held(p socket.Process) int {
	if s := g.byProcess[p]; s != nil {
		return len(s.conns)
	}
	return 0
}

// idlest is the connection that has been idle for the longest or, if none is idle, the one
// that has waited longest for its reply.
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

// makeRoom takes the place of the most dispensable connection, and returns it to be closed;
// nil if none is idle.
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

// leave releases the place of c, if it still has one.
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
