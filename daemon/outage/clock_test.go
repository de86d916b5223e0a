package outage

import (
	"testing"
	"time"
)

// A process that was stopped for a while does not take its own deadlines for the
// silence of others.
func TestClock_Look(t *testing.T) {
	t0 := time.Now()
	for _, tt := range []struct {
		name       string
		late, wall time.Duration
		want       string
	}{
		{"InTime", lookEvery, lookEvery, ""},
		{"Busy", lookEvery + heldUp, lookEvery + heldUp, ""},
		{"HeldUp", time.Minute, time.Minute, "providerd was held up for 1m0s"},
		{"Slept", lookEvery, time.Hour + lookEvery, "this machine slept for 1h0m0s, or its clock was set forward"},
		{"ClockSetBack", lookEvery, -time.Hour, ""},
		{"ClockNudged", lookEvery, lookEvery + time.Second, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c clock
			if why := c.look(t0, t0); why != "" {
				t.Errorf("the first look: %q", why)
			}
			if why := c.look(t0.Add(tt.late), t0.Round(0).Add(tt.wall)); why != tt.want {
				t.Errorf("%q, want %q", why, tt.want)
			}
		})
	}
}
