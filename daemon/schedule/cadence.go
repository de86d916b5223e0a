package schedule

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/store/provider"
)

const (
	// fast is how soon to probe again what may change at any moment: a provider that has
	// just begun to start or limp, is in doubt, or is a local server that is not running.
	fast = 2 * time.Second
	// slow is for what lasts: until somebody acts or, after patience at the fast pace,
	// apparently for long.
	slow = time.Minute
	// patience is how long something may stay as it is, while nobody asks for it, before it
	// counts as lasting.
	patience = 3 * time.Minute
	// A cloud API that fails is probed after cloudFirst, then half as often each
	// time, down to once in cloudLast.
	cloudFirst = 15 * time.Second
	cloudLast  = 5 * time.Minute
	// minGap is the least time between the beginnings of two probes of one provider, for
	// all callers together.
	minGap = time.Second
)

// cadence is the time from the beginning of the last probe to the next, before
// jitter and before any retry_at.
func cadence(r *judge.Record, p *config.Provider, now time.Time) time.Duration {
	state, reason := r.Status.State, r.Status.Reason
	switch {
	case r.InDoubt(p):
		return min(fast, p.Interval)
	case state == provider.StateRunning:
		return p.Interval
	case reason == provider.VendorIncident:
		return p.Interval // it answers, and its vendor knows about the incident
	case p.Type == provider.Generic && reason == provider.BadResponse:
		return p.Interval // it was configured to wait for something that may come by itself
	case mayBeAway(r, now) && p.Type == provider.Cloud:
		return backOff(int(r.Run.Failures))
	case mayBeAway(r, now):
		return min(fast, p.Interval)
	case reason.NeedsPerson() && reason != provider.NoModels && reason != provider.ModelMissing: // a model may appear at any moment
		return max(slow, p.Interval)
	case len(p.Command) > 0, reason == provider.CheckWarning, reason == provider.CheckUnknown:
		return p.Interval // a warning may last for weeks, and each probe is a process
	case reason == provider.Offline:
		return min(cloudFirst, p.Interval) // nothing leaves this machine
	case p.Type == provider.Cloud && r.Run.Failures == 0:
		return p.Interval // up, but of limited use: no reason to probe more often
	case p.Type == provider.Cloud:
		return backOff(int(r.Run.Failures))
	case state == provider.StateError:
		return p.Interval
	case lasts(r, now):
		return lasting(reason, p)
	}
	return min(fast, p.Interval)
}

// lasts reports whether nothing has changed for long, and nobody asked meanwhile.
func lasts(r *judge.Record, now time.Time) bool {
	return !r.Stirred.IsZero() && now.Sub(r.Stirred) >= patience
}

// mayBeAway reports whether what answers at an address where the provider worked before may be
// a load balancer whose server is down. Its generic answer looks like that of another program,
// except that it passes.
func mayBeAway(r *judge.Record, now time.Time) bool {
	reason := r.Status.Reason
	return (reason == provider.WrongService || reason == provider.BadResponse) && !r.Status.LastOKAt.IsZero() && !lasts(r, now)
}

// lasting is the pace that follows the fast one. It spares a server that answers; a server
// that is not running needs no sparing, and should be seen as soon as it is started.
func lasting(reason provider.Reason, p *config.Provider) time.Duration {
	switch {
	case reason == provider.ConnectionRefused && p.OnThisMachine():
		return min(fast, p.Interval) // only this machine's kernel is asked
	case reason == provider.Slow, reason == provider.ProbeFailed:
		return p.Interval // it serves, so it is probed as usual; or the failure is ours
	}
	return max(slow, p.Interval)
}

// backOff is the wait after the nth failure in a row.
func backOff(n int) time.Duration {
	d := cloudFirst
	for ; n > 1 && d < cloudLast; n-- {
		d *= 2
	}
	return min(d, cloudLast)
}

// next plans the following probe: when it is due, and at what age the row of this one is
// stale. The row never turns stale while the plan is kept, so a wait longer than the interval
// makes a longer ttl.
// random is in [0,1). first asks for jitter over the whole wait, so that providers that were
// added together do not stay in step.
func next(r *judge.Record, p *config.Provider, now time.Time, random float64, first bool) (due time.Time, ttl time.Duration) {
	wait := cadence(r, p, now)
	jittered := jitter(wait, p.Timeout, random)
	if first && r.Status.State == provider.StateRunning {
		jittered = time.Duration(random * float64(wait))
	}
	due = together(now.Add(jittered), wait, now.Add(latest(wait, p.Timeout)))
	if soonest := now.Add(minGap); due.Before(soonest) {
		due = soonest
	}
	if retry := r.Status.RetryAt.Time; retry.After(due) {
		// Not at exactly that moment: others were told the same.
		due = anchored(retry, now).Add(time.Duration(random * float64(minGap)))
	}
	return due, timeToLive(r, p, now)
}

// anchored adds to a wall clock time the monotonic reading that it has if the clock is not set
// until then: setting the clock must not move what is due.
func anchored(at, now time.Time) time.Time { return now.Add(at.Sub(now)) }

// timeToLive is the age at which the row of the last probe is stale. It covers the wait for the
// next one and any retry_at. The next probe cannot begin before the last has ended, which may
// take the whole timeout.
func timeToLive(r *judge.Record, p *config.Provider, now time.Time) time.Duration {
	wait := max(p.Interval, cadence(r, p, now), p.Timeout+minGap)
	if st := &r.Status; !st.RetryAt.IsZero() && !st.CheckedAt.IsZero() {
		wait = max(wait, st.RetryAt.Sub(st.CheckedAt.Time)+minGap)
	}
	return wait + p.Timeout
}

// jitter changes a wait by up to a tenth either way, but not past [latest]. With the fast
// cadence it only makes the wait shorter.
func jitter(wait, timeout time.Duration, random float64) time.Duration {
	spread := float64(wait) / 10
	if wait <= fast {
		return wait - time.Duration(random*spread)
	}
	return min(wait+time.Duration((2*random-1)*spread), latest(wait, timeout))
}

// latest is how long a wait may become. Nothing is delayed by more than half the timeout,
// which is the slack between interval and ttl.
func latest(wait, timeout time.Duration) time.Duration {
	if wait <= fast {
		return wait
	}
	return wait + min(wait/10, timeout/2)
}

// together moves a due time to the nearest tick that all providers share, by at most a
// twentieth of the wait; or to the tick before, if the nearest is past the latest time. Waking
// up costs a quiet process far more than a probe: see docs/decisions/shared-ticks.md.
// Only the tick is by the wall clock: the time keeps its monotonic reading, which
// [time.Time.Truncate] would drop, so a clock that is set back delays nothing.
func together(due time.Time, wait time.Duration, latest time.Time) time.Time {
	tick := min(wait/10, time.Second)
	due = due.Add(tick / 2)
	due = due.Add(-time.Duration(due.UnixNano() % int64(tick)))
	if due.After(latest) {
		due = due.Add(-tick)
	}
	return due
}
