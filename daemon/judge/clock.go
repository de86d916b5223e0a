package judge

import (
	"time"

	"github.com/providerd/providerd/store/provider"
)

// ClockSet shifts the times of a record after this machine's clock was set by that much, so
// that they are by the clock as it is now. Times in the past stay in the past. The order of
// the witnesses does not change, and there is no event.
func ClockSet(r Record, by time.Duration, now time.Time) Record {
	// Without the monotonic reading, because from now on these times are compared by the
	// clock that was set.
	move := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.Round(0).Add(by)
	}
	past := func(t provider.Time) provider.Time {
		return provider.AtMost(provider.Time{Time: move(t.Time)}, now)
	}
	st := &r.Status
	st.CheckedAt, st.Since, st.LastOKAt = past(st.CheckedAt), past(st.Since), past(st.LastOKAt)
	st.NextCheckAt = provider.Time{Time: move(st.NextCheckAt.Time)}
	st.RetryAt = provider.Time{Time: move(st.RetryAt.Time)}
	r.ModelsAt = past(provider.Time{Time: r.ModelsAt}).Time
	r.Probes.retryAt = move(r.Probes.retryAt)
	r.Fleet = r.Fleet.moved(move)
	if r.Hearsay = r.Hearsay.moved(move); st.Hearsay != nil {
		st.Hearsay = r.Hearsay.shown(now)
	}
	if r.Limits = r.Limits.moved(move); st.Limits != nil {
		st.Limits = new(provider.Limits(moveLimits(*st.Limits, move)))
	}
	if met := r.Report.met; met != nil {
		moved := *met
		moved.At, moved.RetryAt = past(met.At), provider.Time{Time: move(met.RetryAt.Time)}
		r.Report.met, st.Reported = &moved, &moved
	}
	return r
}
