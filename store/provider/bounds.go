package provider

import "time"

// LongestRetry is the longest that a provider, or a caller of one, can ask us to send
// nothing.
const LongestRetry = 24 * time.Hour

// Bounded returns a row that was saved by a process before this one, with no time
// in it that cannot be true now: what has happened is not yet to come, and the wait
// for a retry_at is not longer than it was when it was told. The clock may have been
// ahead then, or be behind now.
func (s Status) Bounded(now time.Time) Status {
	told := s.CheckedAt
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
	s.RetryAt = boundRetry(s.RetryAt, told, now)
	s.CheckedAt, s.Since, s.LastOKAt = AtMost(s.CheckedAt, now), AtMost(s.Since, now), AtMost(s.LastOKAt, now)
	return s
}

// boundRetry bounds a retry_at that was told at some time; zero: nobody knows when.
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

// AtMost returns t, or limit when t is later; the zero Time stays.
func AtMost(t Time, limit time.Time) Time {
	if t.After(limit) {
		return Time{limit}
	}
	return t
}
