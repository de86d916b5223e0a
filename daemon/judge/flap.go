package judge

import (
	"fmt"
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A provider flaps when its state changed more than flapChanges times within
// flapWindow.
const (
	flapWindow  = 5 * time.Minute
	flapChanges = 4
)

// flaps are the changes of the state within flapWindow, oldest first.
type flaps []time.Time

func (f flaps) flapping() bool { return len(f) > flapChanges }

// watch counts a change of state, and reports whether it makes the provider begin to flap.
func (f *flaps) watch(moved bool, now time.Time) (begins bool) {
	flapped := f.flapping()
	recent := slices.DeleteFunc(slices.Clone(*f), func(t time.Time) bool { return now.Sub(t) >= flapWindow })
	if moved {
		recent = append(recent, now)
	}
	*f = recent
	return f.flapping() && !flapped
}

// mark notes in a detail that the provider flaps, if it does.
func (f flaps) mark(detail string) string {
	if !f.flapping() {
		return detail
	}
	said := fmt.Sprintf("flapping (%d changes in %d minutes)", len(f), int(flapWindow.Minutes()))
	if detail == "" {
		return said
	}
	return detail + "; " + said
}

// ownChange reports whether a change is the provider's own: not its first, and not caused by
// its vendor's feed or an outage of this machine.
func ownChange(state provider.State, was, is provider.Reason) bool {
	return state != provider.StateUnknown && is != provider.Offline &&
		was != provider.VendorIncident && is != provider.VendorIncident
}
