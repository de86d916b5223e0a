package store_test

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// The open hour continues after a restart: it is one bucket, with what was before.
func TestHistory_TheOpenHourContinues(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *store.Store, string) string{
		"AfterAStop": func(t *testing.T, s *store.Store, path string) string {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return path
		},
		"AfterAKill": func(t *testing.T, s *store.Store, path string) string {
			put(s, "b", provider.StateRunning) // a commit, which open hours join
			return crashed(t, path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := newPath(t)
				s := restarted(t, path)
				put(s, "a", provider.StateRunning)
				watch(s, 10*time.Minute)
				s.Probed("a", true, 10*time.Millisecond)
				s.Probed("a", false, 0)
				watch(s, 6*time.Minute)
				path = end(t, s, path)
				time.Sleep(4 * time.Minute)

				s = restarted(t, path)
				check := func(known time.Duration, probes, ok uint64) {
					t.Helper()
					all := hours(t, s, "a")
					if len(all) != 1 || all[0].Known() != known || all[0].Probes != probes || all[0].OK != ok || all[0].Latency.Count() != ok {
						t.Errorf("want one hour with %s, %d probes and %d ok: %+v", known, probes, ok, all)
					}
					if day := days(t, s, "a"); len(day) != 1 || day[0].Known() != known || day[0].Probes != probes {
						t.Errorf("want one day with %s, %d probes: %+v", known, probes, day)
					}
				}
				check(16*time.Minute, 2, 1)
				watch(s, 10*time.Minute)
				s.Probed("a", true, 20*time.Millisecond)
				check(26*time.Minute, 3, 2)
				watch(s, 30*time.Minute) // the hour ends, and another begins
				watch(s, 10*time.Minute)
				all := hours(t, s, "a")
				if len(all) != 2 || all[0].Known() != 56*time.Minute || all[0].Probes != 3 || all[1].Known() != 10*time.Minute || all[1].Probes != 0 {
					t.Errorf("after the hour: %+v", all)
				}
			})
		})
	}
}

// A provider that was just added has a history from then on, and no time before its first probe.
func TestHistory_OfAProviderJustAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := restarted(t, newPath(t))
		put(s, "a", provider.StateRunning)
		watch(s, 150*time.Minute)
		s.Configure([]string{"a", "new"}, nil)
		added := time.Now()
		if all := hours(t, s, "new"); len(all) != 0 {
			t.Errorf("at once: %+v", all)
		}
		watch(s, 5*time.Minute)
		if all := days(t, s, "new"); len(all) != 0 {
			t.Errorf("before its first probe: %+v", all)
		}
		s.Put(change("new", provider.StateRunning, ""))
		synctest.Wait()
		s.Probed("new", true, time.Millisecond)
		watch(s, 5*time.Minute)
		all := hours(t, s, "new")
		if len(all) != 1 || all[0].Known() != 5*time.Minute || all[0].Probes != 1 || !all[0].Time.Equal(added.Truncate(time.Hour).UTC()) {
			t.Errorf("after its first probe: %+v", all)
		}
		if changes := mustChanges(t, s, "new"); len(changes) != 2 || changes[0].Time.Before(added) || changes[1].State != provider.StateRunning {
			t.Errorf("changes: %+v", changes)
		}
		sum := total(hours(t, s, "a"))
		mustBe(t, &sum, 160*time.Minute, 0)
	})
}

// A backup has the history up to then, and restored it continues.
func TestRestore_KeepsTheHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := restarted(t, newPath(t))
		put(s, "a", provider.StateRunning)
		watch(s, 26*time.Hour)
		put(s, "a", provider.StateStopped)
		watch(s, 20*time.Minute)
		s.Probed("a", false, 0)
		alive(t, s)
		saved := backUp(t, s)
		wantHours, wantDays, wantChanges := hours(t, s, "a"), days(t, s, "a"), mustChanges(t, s, "a")
		watch(s, 3*time.Hour) // this is not in it
		s = open(t, saved, store.Options{})
		if got := hours(t, s, "a"); len(got) != 27 || len(got) != len(wantHours) || knownIn(got) != knownIn(wantHours) {
			t.Errorf("%d hours, and %d were saved", len(got), len(wantHours))
		}
		if got := days(t, s, "a"); len(got) != 2 || !reflect.DeepEqual(got[0], wantDays[0]) {
			t.Errorf("days: %+v, want %+v", got, wantDays)
		}
		if got := mustChanges(t, s, "a"); !reflect.DeepEqual(got, wantChanges) {
			t.Errorf("changes: %+v, want %+v", got, wantChanges)
		}
		s.Configure([]string{"a"}, nil)
		beginWatch(s)
		put(s, "a", provider.StateRunning)
		watch(s, time.Hour)
		sum := total(days(t, s, "a"))
		mustBe(t, &sum, 27*time.Hour, 20*time.Minute)
	})
}

// knownIn is the known time of buckets.
func knownIn(all []rollup.Bucket) time.Duration {
	sum := total(all)
	return sum.Known()
}
