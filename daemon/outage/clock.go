package outage

import (
	"fmt"
	"time"
)

const (
	// lookEvery is how often the clock is looked at, at least, and soonLook while
	// this machine has no network, for the sake of its coming back.
	lookEvery = 5 * time.Second
	soonLook  = time.Second
	// heldUp is how late a look is that tells of more than a busy machine, and by how
	// much two clocks may drift apart between two looks.
	heldUp = 5 * time.Second
)

// Clocks are this machine's clocks at one moment.
type Clocks struct {
	Mono time.Time // by its monotonic reading, which stands still while the machine sleeps
	Wall time.Time // which goes on then, and which people and programs set
	// Asleep is for how long the machine has slept since it was started; negative: it
	// does not tell.
	Asleep time.Duration
}

// A Lapse is what became of the time between two looks, when it was not what it
// should be. Its zero value is nothing.
type Lapse struct {
	Held    time.Duration // from look to look, when this process was held up
	Slept   time.Duration // for which the machine slept
	Guessed bool          // it does not tell for how long it slept: it may be that the clock was set forward
	Jumped  time.Duration // by how much the clock was set: forward, or negative: back
}

// clock remembers the last look.
type clock struct {
	last   Clocks
	looked bool
}

// look returns what became of the time since the last look.
func (c *clock) look(now Clocks) Lapse {
	was, first := c.last, !c.looked
	c.last, c.looked = now, true
	if first {
		return Lapse{}
	}
	var l Lapse
	late := now.Mono.Sub(was.Mono)
	if late > lookEvery+heldUp {
		l.Held = late
	}
	apart := now.Wall.Round(0).Sub(was.Wall.Round(0)) - late
	known := now.Asleep >= 0 && was.Asleep >= 0
	if known {
		l.Slept = now.Asleep - was.Asleep
	} else if apart > heldUp {
		l.Slept, l.Guessed = apart, true
	}
	if l.Slept <= heldUp {
		l.Slept = 0
	}
	if l.Jumped = apart - l.Slept; l.Jumped.Abs() <= heldUp {
		l.Jumped = 0
	}
	return l
}

// Unseen is how long nobody looked, at the end of which the lapse was noticed: what
// was under way meanwhile proves nothing.
func (l Lapse) Unseen() time.Duration {
	if l.Slept > 0 && l.Held == 0 {
		return l.Slept + lookEvery
	}
	return l.Held + l.Slept
}

// why says why nothing that is under way can be trusted, empty when there is no such
// reason. That the clock was set is none.
func (l Lapse) why() string {
	switch {
	case l.Guessed:
		return fmt.Sprintf("this machine slept for %s, or its clock was set forward", l.Slept.Round(time.Second))
	case l.Slept > 0:
		return fmt.Sprintf("this machine slept for %s", l.Slept.Round(time.Second))
	case l.Held > 0:
		return fmt.Sprintf("providerd was held up for %s", l.Held.Round(time.Second))
	}
	return ""
}
