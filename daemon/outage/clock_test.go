package outage

import (
	"testing"
	"time"
)

// A process that was stopped for a while does not take its own deadlines for the
// silence of others; and one whose clock was set is not one that slept.
func TestClock_Look(t *testing.T) {
	t0 := time.Now()
	const year, hour = 365 * 24 * time.Hour, time.Hour
	for _, tt := range []struct {
		name        string
		mono, wall  time.Duration // since the last look
		asleep      time.Duration // likewise; negative: the machine does not tell
		held, slept time.Duration
		jumped      time.Duration
		why         string
	}{
		{"InTime", lookEvery, lookEvery, 0, 0, 0, 0, ""},
		{"Busy", lookEvery + heldUp, lookEvery + heldUp, 0, 0, 0, 0, ""},
		{"Nudged", lookEvery, lookEvery + time.Second, 0, 0, 0, 0, ""},
		{"HeldUp", time.Minute, time.Minute, 0, time.Minute, 0, 0, "providerd was held up for 1m0s"},
		{"Slept", lookEvery, hour + lookEvery, hour, 0, hour, 0, "this machine slept for 1h0m0s"},
		{"SetForward", lookEvery, 10*year + lookEvery, 0, 0, 0, 10 * year, ""},
		{"SetBack", lookEvery, -10*year + lookEvery, 0, 0, 0, -10 * year, ""},
		{"SleptAndSetBack", lookEvery, lookEvery, hour, 0, hour, -hour, "this machine slept for 1h0m0s"},
		{"SleptAndSetForward", lookEvery, 3*hour + lookEvery, hour, 0, hour, 2 * hour, "this machine slept for 1h0m0s"},
		{"HeldUpAndSetBack", time.Minute, time.Minute - hour, 0, time.Minute, 0, -hour, "providerd was held up for 1m0s"},
		{"SleptOrSetForward", lookEvery, hour + lookEvery, -1, 0, hour, 0, "this machine slept for 1h0m0s, or its clock was set forward"},
		{"SetBackByOneThatDoesNotTell", lookEvery, -hour, -1, 0, 0, -hour - lookEvery, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c clock
			first, then := Clocks{t0, t0, 7 * hour}, Clocks{t0.Add(tt.mono), t0.Round(0).Add(tt.wall), 7*hour + tt.asleep}
			if tt.asleep < 0 {
				first.Asleep, then.Asleep = -1, -1
			}
			if l := c.look(first); l != (Lapse{}) {
				t.Errorf("the first look: %+v", l)
			}
			l := c.look(then)
			if l.Held != tt.held || l.Slept != tt.slept || l.Jumped != tt.jumped || l.why() != tt.why {
				t.Errorf("%+v, %q", l, l.why())
			}
			if l := c.look(then); l != (Lapse{}) {
				t.Errorf("noticed again: %+v", l)
			}
		})
	}
}
