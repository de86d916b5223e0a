package store

import (
	"math/rand/v2"
	"time"
)

// The numbers of events and refreshes are promised never to mean something else
// later, also when the database that gave them is gone and cannot be asked. So a
// database that begins, or that is older than what clients have seen, goes on from
// the microseconds since 1970: no daemon gives a million numbers a second, so none
// that began earlier can have come so far. They stay below maxNumber until the year
// 2255.
const (
	maxNumber = 1<<53 - 1 // of an event or a refresh: readers of JSON keep it exactly

	leap      = 1 << 32 // more than any daemon gives before its next start
	jitter    = 1 << 40 // how far apart two leaps from the same number are, at most
	untrusted = 1 << 49 // below every number that a clock may give
)

// clockNumber is the number that the clock gives, 0 when it is plainly wrong: a
// machine without a battery begins in 1970.
func clockNumber(now time.Time) uint64 {
	if year := now.UTC().Year(); year < 2000 || year > 2200 {
		return 0
	}
	return uint64(now.UnixMicro())
}

// beyond returns a number beyond all that may have been given, of which known is
// the last that we know of; 0 when we know of none. A clock that is wrong, or was,
// does not give one: then it is a leap from known to a place that no second leap
// will come to.
func beyond(now time.Time, known uint64) uint64 {
	n := clockNumber(now)
	switch {
	case n > known:
		return n
	case known == 0:
		return 1 + rand.Uint64N(untrusted)
	}
	return known + leap + rand.Uint64N(jitter)
}
