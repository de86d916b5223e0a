package control

import "sync"

const (
	// mostConns is how many connections are enough for anybody.
	mostConns = 4096
	// leastConns is how many there are even where that leaves little for the rest.
	leastConns = 64
	// filesKept is how many open files the rest of the daemon may need: a
	// thousand probes at once, the database, the log.
	filesKept = 1200
	// connsOfOne is how many connections one user can count on where there are
	// enough: a program that asks a thousand times at once is no attack.
	connsOfOne = 1024
)

// connsWithin is how many connections may be open for a process that may have so
// many files open. Probes have priority: who cannot connect can try again, but a
// probe that finds no descriptor says a wrong thing of its provider.
func connsWithin(files uint64) int {
	enough := uint64(0)
	if files > filesKept {
		enough = (files - filesKept) / 2
	}
	return int(min(mostConns, max(enough, min(leastConns, files/4))))
}

// connsPerUser is the share of one user: a quarter, and more where there are not
// many, but never all.
func connsPerUser(conns int) int {
	return max(conns/4, min(connsOfOne, conns*3/4))
}

// A gate bounds the connections that are open at once, and how many of them one
// user may hold, so that no user can shut out the rest. Root and the daemon's
// own user, who could stop the daemon anyway, have no bound of their own, and
// the last places are kept for them.
type gate struct {
	max, perUser, kept int
	owner              uint32

	mu    sync.Mutex
	total int
	byUID map[uint32]int
}

func newGate(maxConns, perUser int, owner uint32) gate {
	return gate{
		max:     maxConns,
		perUser: perUser,
		kept:    min(16, maxConns/16),
		owner:   owner,
		byUID:   make(map[uint32]int),
	}
}

// enter takes a place for p, and reports whether there was one.
func (g *gate) enter(p peer) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.total >= g.max:
		return false
	case p.known && (p.uid == 0 || p.uid == g.owner):
	case g.total >= g.max-g.kept:
		return false
	case p.known && g.byUID[p.uid] >= g.perUser:
		return false
	}
	g.total++
	if p.known {
		g.byUID[p.uid]++
	}
	return true
}

// leave gives the place of p back.
func (g *gate) leave(p peer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if !p.known {
		return
	}
	if g.byUID[p.uid]--; g.byUID[p.uid] == 0 {
		delete(g.byUID, p.uid)
	}
}
