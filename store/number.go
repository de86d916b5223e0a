package store

import (
	"math/rand/v2"
	"time"
)

// The number of an event or a refresh must never mean something else later, even if
// the database that assigned it is gone. So a database that is new, or out of date,
// starts from the microseconds since 1970: no daemon assigns a million numbers a
// second, so none that started earlier can have got this far. Numbers stay below
// maxNumber until the year 2255.
const (
	maxNumber = 1<<53 - 1 // of an event or a refresh: JSON readers represent it exactly

	leap      = 1 << 32 // more than any daemon assigns between two starts
	jitter    = 1 << 40 // the range of random places that a leap lands in
	untrusted = 1 << 49 // below every number from a correct clock
)

// clockNumber is the number for the time now, 0 if the clock is plainly wrong: a
// machine without a clock battery starts in 1970.
func clockNumber(now time.Time) uint64 {
	if year := now.UTC().Year(); year < 2000 || year > 2200 {
		return 0
	}
	return uint64(now.UnixMicro())
}

// beyond returns a number above all that may have been assigned. known is the highest
// that we know of, 0 if we know of none. If the clock cannot give such a number,
// because it is or was wrong, the result is a random leap from known, so that a second
// leap does not land in the same place.
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
