package store

import "time"

// Steps are the upper bounds, in seconds, of the buckets of [Durations]: from what
// a server on this machine takes to the longest that is worth telling apart.
var Steps = [...]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Durations counts how long things took. It is a value, to be copied under the
// lock that guards it.
type Durations struct {
	Within [len(Steps)]uint64 // more than the step before and at most this one
	Count  uint64             // those beyond the last step too
	Sum    time.Duration
}

// Add counts one that took so long.
func (d *Durations) Add(took time.Duration) {
	d.Count++
	d.Sum += took
	if i := StepOf(took); i < len(Steps) {
		d.Within[i]++
	}
}

// StepOf is the index of the first of [Steps] that is at least so long, or their
// number when none is.
func StepOf(took time.Duration) int {
	i := 0
	for i < len(Steps) && took.Seconds() > Steps[i] {
		i++
	}
	return i
}
