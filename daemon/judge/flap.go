package judge

import (
	"slices"
	"time"
)

// A provider flaps when its state changed more than flapChanges times within
// flapWindow.
const (
	flapWindow  = 5 * time.Minute
	flapChanges = 4
)

// watchFlapping counts a change of state and reports whether the provider
// begins to flap with it.
func (r *Record) watchFlapping(moved bool, now time.Time) (begins bool) {
	recent := slices.DeleteFunc(slices.Clone(r.changes), func(t time.Time) bool {
		return now.Sub(t) >= flapWindow
	})
	if moved {
		recent = append(recent, now)
	}
	r.changes = recent
	flapped := r.flapping
	r.flapping = len(recent) > flapChanges
	return r.flapping && !flapped
}
