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
	// much the wall's clock may run ahead of the monotonic one.
	heldUp = 5 * time.Second
)

// A clock remembers the last look at both clocks. The monotonic one stands still
// while the machine sleeps; the wall's does not.
type clock struct{ mono, wall time.Time }

// look returns why nothing that was seen since the last look can be trusted, empty
// when there is no such reason.
func (c *clock) look(mono, wall time.Time) string {
	was := *c
	*c = clock{mono, wall}
	if was.mono.IsZero() {
		return ""
	}
	late := mono.Sub(was.mono)
	slept := wall.Round(0).Sub(was.wall.Round(0)) - late
	switch {
	case slept > heldUp:
		return fmt.Sprintf("this machine slept for %s, or its clock was set forward", slept.Round(time.Second))
	case late > lookEvery+heldUp:
		return fmt.Sprintf("providerd was held up for %s", late.Round(time.Second))
	}
	return ""
}
