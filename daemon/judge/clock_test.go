package judge

import (
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// When the clock is set, the times of a record shift with it and mean the same as before: a
// minute ago is still a minute ago, and a wait of an hour is still an hour.
func TestClockSet(t *testing.T) {
	now := time.Now()
	for _, by := range []time.Duration{10 * 365 * 24 * time.Hour, -10 * 365 * 24 * time.Hour} {
		then := now.Round(0).Add(by) // the same moment, as the clock shows it since
		in := func(d time.Duration) provider.Time { return provider.Time{Time: now.Add(d)} }
		var r Record
		r.Status = provider.Status{
			CheckedAt: in(-time.Minute), Since: in(-time.Hour), LastOKAt: in(time.Second), // by a clock that was nudged
			NextCheckAt: in(time.Minute), RetryAt: in(time.Hour),
		}
		met := provider.Reported{At: in(-2 * time.Minute), RetryAt: in(time.Hour)}
		r.Report.met, r.Probes.retryAt = &met, now.Add(30*time.Minute)
		got := ClockSet(r, by, then)
		for what, c := range map[string]struct {
			got  time.Time
			want time.Duration
		}{
			"checked_at":    {got.Status.CheckedAt.Time, -time.Minute},
			"since":         {got.Status.Since.Time, -time.Hour},
			"last_ok_at":    {got.Status.LastOKAt.Time, 0},
			"next_check_at": {got.Status.NextCheckAt.Time, time.Minute},
			"retry_at":      {got.Status.RetryAt.Time, time.Hour},
			"reported at":   {got.Status.Reported.At.Time, -2 * time.Minute},
			"its retry_at":  {got.Report.retryAt(), time.Hour},
			"the probes'":   {got.Probes.retryAt, 30 * time.Minute},
		} {
			if d := c.got.Sub(then); d != c.want {
				t.Errorf("set by %s: %s is in %s, want %s", by, what, d, c.want)
			}
		}
		if !got.ModelsAt.IsZero() {
			t.Error("what is not known is known now")
		}
		if !met.At.Equal(now.Add(-2 * time.Minute)) {
			t.Error("what was given is changed")
		}
	}
}
