package provider

import "time"

// LongestRetry is the longest time for which a provider, or a caller's report, can stop
// the probes.
const LongestRetry = 24 * time.Hour

// Bounded returns a row that an earlier process saved, without times that cannot be true:
// what has happened is not in the future, and the wait until retry_at is not longer than
// it was at first. The clock may have been ahead then, or be behind now. Nor does it say
// how busy the provider is.
func (s Status) Bounded(now time.Time) Status {
	told := s.CheckedAt
	s.Busy = nil // it has other requests by now
	if r := s.Reported; r != nil {
		bounded := *r
		bounded.RetryAt = boundRetry(r.RetryAt, r.At, now)
		bounded.At = AtMost(r.At, now)
		s.Reported = &bounded
		if s.RetryAt.Equal(r.RetryAt.Time) {
			told = r.At
		}
	}
	if h := s.Hearsay; h != nil {
		bounded := *h
		bounded.At, bounded.Until = AtMost(h.At, now), AtMost(h.Until, now)
		s.Hearsay = &bounded
	}
	if s.Limits != nil {
		s.Limits = boundLimits(*s.Limits, now)
	}
	s.RetryAt = boundRetry(s.RetryAt, told, now)
	s.CheckedAt, s.Since, s.LastOKAt = AtMost(s.CheckedAt, now), AtMost(s.Since, now), AtMost(s.LastOKAt, now)
	return s
}

// boundRetry bounds a retry_at that was set at the time told; zero means unknown.
func boundRetry(at, told Time, now time.Time) Time {
	if at.IsZero() {
		return at
	}
	wait := LongestRetry
	if !told.IsZero() {
		wait = min(max(at.Sub(told.Time), 0), LongestRetry)
	}
	return AtMost(at, now.Add(wait))
}

// boundLimits bounds the times of limits. One whose reset cannot be true has none.
func boundLimits(all Limits, now time.Time) *Limits {
	bounded := make(Limits, 0, len(all))
	for _, l := range all {
		if l.ResetsAt.Sub(l.At.Time) > LongestReset {
			l.ResetsAt = Time{}
		}
		if wait := l.ResetsAt.Sub(l.At.Time); l.At.After(now) && !l.ResetsAt.IsZero() {
			l.ResetsAt.Time = now.Add(wait)
		}
		l.At = AtMost(l.At, now)
		bounded = append(bounded, l)
	}
	return &bounded
}

// AtMost returns t, or limit if t is later; the zero Time stays.
func AtMost(t Time, limit time.Time) Time {
	if t.After(limit) {
		return Time{limit}
	}
	return t
}
