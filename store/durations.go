package store

import "time"

// Steps are the upper bounds of the buckets of [Durations], in seconds: from the
// latency of a local server up to the longest that is worth telling apart.
var Steps = [...]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Durations is a histogram of durations. It is a value: copy it under the lock that
// guards it.
type Durations struct {
	Within [len(Steps)]uint64 // those above the previous step and up to this one
	Count  uint64             // of all, including those beyond the last step
	Sum    time.Duration
}

// Add counts a duration.
func (d *Durations) Add(took time.Duration) {
	d.Count++
	d.Sum += took
	if i := StepOf(took); i < len(Steps) {
		d.Within[i]++
	}
}

// StepOf is the index of the first of [Steps] that is not less than a duration, or
// len(Steps) if it is beyond all.
func StepOf(took time.Duration) int {
	i := 0
	for i < len(Steps) && took.Seconds() > Steps[i] {
		i++
	}
	return i
}
