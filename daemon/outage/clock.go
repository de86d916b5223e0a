package outage

import (
	"fmt"
	"time"
)

const (
	// lookEvery is how often, at least, the clock is checked; soonLook applies while this
	// machine has no network, to notice when it is back.
	lookEvery = 5 * time.Second
	soonLook  = time.Second
	// heldUp is a delay of a check that a busy machine does not explain, and how far two
	// clocks may drift apart between two checks.
	heldUp = 5 * time.Second
)

// Clocks are this machine's clocks at one moment.
type Clocks struct {
	Mono time.Time // its monotonic reading counts, which stops while the machine sleeps
	Wall time.Time // goes on during sleep, and can be set
	// Asleep is how long the machine has slept since boot; negative: unknown.
	Asleep time.Duration
}

// A Lapse is an irregularity in the time between two checks of the clock. The zero value
// means there was none.
type Lapse struct {
	Held    time.Duration // the time between the checks, if this process was held up
	Slept   time.Duration // how long the machine slept
	Guessed bool          // Slept is a guess: perhaps the clock was set forward instead
	Jumped  time.Duration // by how much the clock was set forward; negative: back
}

// clock remembers the last check.
type clock struct {
	last   Clocks
	looked bool
}

// look checks the clocks, and returns the lapse since the last check.
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

// Unseen is the time, up to when the lapse was noticed, in which this process did not
// run: probes in progress then prove nothing.
func (l Lapse) Unseen() time.Duration {
	if l.Slept > 0 && l.Held == 0 {
		return l.Slept + lookEvery
	}
	return l.Held + l.Slept
}

// why says why probes in progress cannot be trusted; empty if they can, as after the clock
// was merely set.
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
