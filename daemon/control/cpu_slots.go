package control

import (
	"runtime"
	"time"
)

// slotWait is the longest that a request waits for its turn: a reply that the client does
// not read must not block the client's other requests for ever.
const slotWait = 200 * time.Millisecond

// cpuSlots limit the requests of one process that run at a time to half of the processors.
// Go polls for new requests when a processor is idle, and otherwise every 10 ms. A process
// that kept all processors busy, with hundreds of connections or with pipelined requests,
// would delay everybody else by that and more.
type cpuSlots chan struct{}

func newCPUSlots() cpuSlots { return make(cpuSlots, max(1, runtime.GOMAXPROCS(0)/2)) }

// takeSlot waits for the connection's turn, but not longer than slotWait.
func (c *conn) takeSlot() {
	if c.hasSlot {
		return
	}
	select {
	case c.slots <- struct{}{}:
		c.hasSlot = true
		return
	default:
	}
	enough := time.NewTimer(slotWait)
	defer enough.Stop()
	select {
	case c.slots <- struct{}{}:
		c.hasSlot = true
	case <-enough.C:
	}
}

// freeSlot ends the connection's turn: the reply is written, or waits for something else.
func (c *conn) freeSlot() {
	if c.hasSlot {
		c.hasSlot = false
		<-c.slots
	}
}
