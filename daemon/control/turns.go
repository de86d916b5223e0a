package control

import (
	"runtime"
	"time"
)

// turnWait is how long a request waits for its turn at most: one that a client
// does not read the reply of must not keep that client's others for ever.
const turnWait = 200 * time.Millisecond

// turns bound how many requests of one process are worked on at a time, to half
// of the processors. Go looks for new requests when a processor has nothing else
// to do, and otherwise every 10 ms: whoever could keep all of them busy, with
// hundreds of connections or with requests sent without waiting for replies,
// would delay everybody else by that and more.
type turns chan struct{}

func newTurns() turns { return make(turns, max(1, runtime.GOMAXPROCS(0)/2)) }

// takeTurn waits until it is the connection's turn, or has waited for long enough.
func (c *conn) takeTurn() {
	if c.hasTurn {
		return
	}
	select {
	case c.turns <- struct{}{}:
		c.hasTurn = true
		return
	default:
	}
	enough := time.NewTimer(turnWait)
	defer enough.Stop()
	select {
	case c.turns <- struct{}{}:
		c.hasTurn = true
	case <-enough.C:
	}
}

// endTurn lets the next one have its turn: the reply is written, or waits for
// something else.
func (c *conn) endTurn() {
	if c.hasTurn {
		c.hasTurn = false
		<-c.turns
	}
}
