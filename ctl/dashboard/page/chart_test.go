package page

import (
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// An hour of which a minute is known does not look like an hour in which all was well. The last
// one is not over.
func TestStrip_PartlyKnownBarsCanBeSeen(t *testing.T) {
	now := time.Date(2026, 1, 2, 2, 1, 0, 0, time.UTC)
	var buckets []bucket
	for i, known := range []float64{60, 3600, 60} {
		b := bucket{}
		b.Time = provider.Time{Time: now.Truncate(time.Hour).Add(time.Duration(i-2) * time.Hour)}
		b.KnownSeconds, b.StateSeconds = known, map[provider.State]float64{provider.StateRunning: known}
		buckets = append(buckets, b)
	}
	one := 1.0
	record := record{Up: []*float64{&one, &one, &one}, Known: []float64{0.0166, 1, 0.0166}}
	for name, s := range map[string]*strip{"One": stripOf(buckets, now, time.Hour, 3), "All": stripOfRecord(record, time.Hour, 3)} {
		if want := "M2 20V12M6 20V0M10 20V0"; len(s.Paths) != 1 || s.Paths[0] != (stripPath{"running", want}) {
			t.Errorf("%s: %+v, want %s", name, s.Paths, want)
		}
	}
}
