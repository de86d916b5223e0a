package store_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// watch passes time as the scheduler reports it.
func watch(s *store.Store, d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		step := min(5*time.Second, time.Until(end))
		time.Sleep(step)
		s.Watch(store.Watched{Wall: time.Now(), Seen: step})
	}
}

// from begins to watch.
func beginWatch(s *store.Store) { s.Watch(store.Watched{Wall: time.Now()}) }

func hours(t testing.TB, s *store.Store, id string) []rollup.Bucket {
	t.Helper()
	all, err := s.Hours(id, time.Time{}, time.Now().AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func days(t testing.TB, s *store.Store, id string) []rollup.Bucket {
	t.Helper()
	all, err := s.Days(id, time.Time{}, time.Now().AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// total adds buckets up.
func total(all []rollup.Bucket) (sum rollup.Bucket) {
	for i := range all {
		sum.Merge(&all[i])
	}
	return sum
}

func mustBe(t testing.TB, b *rollup.Bucket, running, stopped time.Duration) {
	t.Helper()
	if b.In(provider.StateRunning) != running || b.In(provider.StateStopped) != stopped || b.Known() != running+stopped {
		t.Errorf("RUNNING for %s and STOPPED for %s of %s, want %s and %s",
			b.In(provider.StateRunning), b.In(provider.StateStopped), b.Known(), running, stopped)
	}
}

func TestHistory_AddsUpTimeInStatesByTheHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := newPath(t)
		s := configured(t, path, store.Options{}, "a", "b")
		beginWatch(s) // at midnight
		s.Put(change("a", provider.StateRunning, ""))
		watch(s, 50*time.Minute)
		s.Put(change("a", provider.StateStopped, ""))
		watch(s, 20*time.Minute)
		s.Put(change("a", provider.StateRunning, ""))
		watch(s, 25*time.Hour)
		s.Probed("a", true, 100*time.Millisecond)
		synctest.Wait()
		check := func() {
			t.Helper()
			all := hours(t, s, "a")
			if len(all) != 27 {
				t.Fatalf("%d hours", len(all))
			}
			mustBe(t, &all[0], 50*time.Minute, 10*time.Minute)
			mustBe(t, &all[1], 50*time.Minute, 10*time.Minute)
			mustBe(t, &all[2], time.Hour, 0)
			mustBe(t, &all[26], 10*time.Minute, 0)
			if all[26].Probes != 1 || all[26].OK != 1 || all[26].Quantile(0.5) < 95*time.Millisecond {
				t.Errorf("the open hour: %+v", all[26])
			}
			two := days(t, s, "a")
			if len(two) != 2 {
				t.Fatalf("%d days", len(two))
			}
			mustBe(t, &two[0], 24*time.Hour-20*time.Minute, 20*time.Minute)
			mustBe(t, &two[1], 2*time.Hour+10*time.Minute, 0)
		}
		check()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, path, store.Options{})
		check()
		s.Configure([]string{"a", "b"}, nil)
		check()
	})
}

// An hour that ends and is written while a history is read is in what is read, and once.
func TestHistory_ReadWhileAnHourEnds(t *testing.T) {
	s := configured(t, newPath(t), store.Options{}, "a", "b")
	wall := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	pass := func(d time.Duration) {
		wall = wall.Add(d)
		s.Watch(store.Watched{Wall: wall, Seen: d})
	}
	pass(0)
	s.Put(change("a", provider.StateRunning, ""))
	s.Put(change("b", provider.StateRunning, ""))
	pass(50 * time.Minute)
	s.Put(change("b", provider.StateStopped, ""))
	alive(t, s) // changes are shown once they are committed
	end := sync.OnceFunc(func() {
		pass(20 * time.Minute)
		s.Put(change("b", provider.StateError, ""))
		alive(t, s)
	})
	sums, records := make([]rollup.Bucket, 2), make([]store.Record, 2)
	err := s.Collect([]string{"a", "b"}, rollup.Hour, wall.Add(-time.Hour), wall.Add(2*time.Hour), store.Collector{
		Bucket: func(i int, b *rollup.Bucket) { sums[i].Merge(b); end() },
		Record: func(i int, rec *store.Record, _ time.Time) { records[i] = *rec },
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range sums {
		if d := sums[i].Known(); d.Round(time.Minute) != 50*time.Minute {
			t.Errorf("provider %d is known for %s, want 50m", i, d)
		}
		if want := 2 + i; len(records[i].Changes) != want { // UNKNOWN, RUNNING, and STOPPED
			t.Errorf("provider %d: %+v, want %d changes", i, records[i].Changes, want)
		}
	}
}
