//go:build linux || darwin

package store_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// While the disk is full, the history shows no change that is not on it. The time that passes
// is shown in the last state that was committed. Later nothing is lost.
func TestHistory_ShowsOnlyWhatIsCommitted(t *testing.T) {
	if !inChild(t) {
		return
	}
	for _, c := range []struct {
		name   string
		before provider.State
		more   []provider.State // after STOPPED, still on a full disk
		shown  time.Duration    // known in the meantime
	}{
		{"OneChange", provider.StateRunning, nil, 150 * time.Minute},
		{"SeveralChanges", provider.StateRunning, []provider.State{provider.StateError, provider.StateStopped}, 150 * time.Minute},
		{"FromUnknown", provider.StateUnknown, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := configured(t, newPath(t), store.Options{}, "a", "b")
				defer s.Close()
				beginWatch(s)
				put(s, "a", c.before)
				put(s, "b", provider.StateRunning)
				watch(s, 10*time.Minute)
				_, changes := readBoth(t, s)

				allow := refuseWrites(t)
				put(s, "a", provider.StateStopped)
				s.Probed("a", false, 0)
				for _, state := range c.more {
					watch(s, time.Minute)
					put(s, "a", state)
				}
				watch(s, 140*time.Minute-time.Duration(len(c.more))*time.Minute) // two hours end
				mustNotShow(t, s, c.shown, changes)

				allow()
				alive(t, s)
				sum, now := readBoth(t, s)
				if down := sum.In(provider.StateStopped) + sum.In(provider.StateError); down.Round(time.Minute) != 140*time.Minute || sum.Probes != 1 {
					t.Errorf("after the commit: down for %s with %d probes, want 2h20m and 1", down, sum.Probes)
				}
				if want := changes + 1 + len(c.more); now != want {
					t.Errorf("after the commit: %d changes, want %d", now, want)
				}

				allow = refuseWrites(t)
				put(s, "a", provider.StateRunning)
				watch(s, 10*time.Minute)
				sum, _ = readBoth(t, s)
				if down := sum.In(provider.StateStopped) + sum.In(provider.StateError); down.Round(time.Minute) != 150*time.Minute {
					t.Errorf("back on a full disk: down for %s, want 2h30m", down)
				}
				allow()
			})
		})
	}
}

// mustNotShow checks that a's outage is not shown in any way, and that b's time is.
func mustNotShow(t testing.TB, s *store.Store, known time.Duration, changes int) {
	t.Helper()
	sum, n := readBoth(t, s)
	mustBe(t, &sum, known, 0)
	if n != changes || sum.Probes != 0 {
		t.Errorf("%d changes and %d probes are shown, want %d and 0", n, sum.Probes, changes)
	}
	ofDays := total(days(t, s, "a"))
	mustBe(t, &ofDays, known, 0)
	other := total(hours(t, s, "b"))
	mustBe(t, &other, 150*time.Minute, 0)
}

// readBoth reads a's hours and the number of its changes, one by one and together, which must be
// the same.
func readBoth(t testing.TB, s *store.Store) (sum rollup.Bucket, changes int) {
	t.Helper()
	from, until := time.Time{}, time.Now().Add(time.Hour)
	past, err := s.PastOf("a", rollup.Hour, from, until)
	if err != nil {
		t.Fatal(err)
	}
	var all rollup.Bucket
	together := 0
	err = s.Collect([]string{"b", "a"}, rollup.Hour, from, until, store.Collector{
		Bucket: func(i int, b *rollup.Bucket) {
			if i == 1 {
				all.Merge(b)
			}
		},
		Record: func(i int, rec *store.Record, _ time.Time) {
			if i == 1 {
				together = len(rec.Changes)
			}
		},
	})
	sum = total(past.Buckets)
	if err != nil || all.Known() != sum.Known() || all.Usable() != sum.Usable() || together != len(past.Changes) {
		t.Errorf("together: %s known, %d changes, alone: %s, %d (%v)", all.Known(), together, sum.Known(), len(past.Changes), err)
	}
	return sum, len(past.Changes)
}
