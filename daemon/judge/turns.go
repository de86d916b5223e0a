package judge

import (
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// turns are the periods in which users who are not administrators were believed. There is one
// minute at a time, and there are at most ten in any hour.
type turns struct {
	since time.Time // the beginning of the last
	until time.Time // its end
	spent []span    // earlier ones in the last hour
}

// A span is a period in which users were believed.
type span struct{ from, to time.Time }

// usersHour is the period in which users are believed for [provider.HearsayPerHour] at most.
const usersHour = time.Hour

// begin returns the turns with one that begins now. It fails if the last one began within a
// minute, or if users have no whole minute left: otherwise the hour would be spent in seconds.
func (t turns) begin(now time.Time) (turns, bool) {
	if now.Before(t.since.Add(provider.LongestHearsay)) || t.left(now) < provider.LongestHearsay {
		return t, false
	}
	return turns{since: now, until: now.Add(provider.LongestHearsay), spent: t.all(now)}, true
}

// lasts reports whether users are believed now. They are not if the clock was set back to
// before the belief.
func (t turns) lasts(now time.Time) bool { return now.Before(t.until) && !now.Before(t.since) }

// left is for how long users could be believed from now on without a break.
func (t turns) left(now time.Time) time.Duration {
	left := provider.HearsayPerHour
	for _, s := range t.all(now) {
		left -= s.to.Sub(s.from)
	}
	return left
}

// all are the periods in which users were believed, limited to the last hour.
func (t turns) all(now time.Time) []span {
	var all []span
	for _, s := range append(slices.Clip(t.spent), span{t.since, t.until}) {
		if begin := now.Add(-usersHour); s.from.Before(begin) {
			s.from = begin
		}
		if s.to.After(s.from) {
			all = append(all, s)
		}
	}
	return all
}

// moved adapts the times to a clock that was set.
func (t turns) moved(move func(time.Time) time.Time) turns {
	t.since, t.until, t.spent = move(t.since), move(t.until), slices.Clone(t.spent)
	for i, s := range t.spent {
		t.spent[i] = span{move(s.from), move(s.to)}
	}
	return t
}
