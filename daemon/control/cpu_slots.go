package control

import (
	"runtime"
	"time"
)

// slotWait is how long a request waits for its turn at most: one that a client
// does not read the reply of must not keep that client's others for ever.
const slotWait = 200 * time.Millisecond

// cpuSlots bound how many requests of one process are worked on at a time, to half
// of the processors. Go looks for new requests when a processor has nothing else
// to do, and otherwise every 10 ms: whoever could keep all of them busy, with
// hundreds of connections or with requests sent without waiting for replies,
// would delay everybody else by that and more.
type cpuSlots chan struct{}

func newCPUSlots() cpuSlots { return make(cpuSlots, max(1, runtime.GOMAXPROCS(0)/2)) }

// takeSlot waits until it is the connection's turn, or has waited for long enough.
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

// freeSlot lets the next one have its turn: the reply is written, or waits for
// something else.
func (c *conn) freeSlot() {
	if c.hasSlot {
		c.hasSlot = false
		<-c.slots
	}
}
