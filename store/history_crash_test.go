package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// crashed is the database as a process leaves it that is killed now.
func crashed(t testing.TB, path string) string {
	t.Helper()
	synctest.Wait()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	left := newPath(t)
	if err := os.WriteFile(left, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return left
}

// restarted opens a database, and watches a and b again.
func restarted(t testing.TB, path string) *store.Store {
	t.Helper()
	s := open(t, path, store.Options{})
	s.Configure([]string{"a", "b"}, nil)
	beginWatch(s)
	return s
}

// alive is a commit that happens anyway, as the watchdog's.
func alive(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.SyncBarrier(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func put(s *store.Store, id string, state provider.State) {
	s.Put(change(id, state, ""))
	synctest.Wait()
}

// A kill loses no time in states up to the last commit, and what follows is unknown until the
// next process watches.
func TestHistory_SurvivesAKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := newPath(t)
		s := configured(t, path, store.Options{}, "a", "b")
		beginWatch(s)
		put(s, "a", provider.StateRunning)
		watch(s, 90*time.Minute)
		put(s, "a", provider.StateStopped)
		watch(s, 20*time.Minute)
		alive(t, s)
		watch(s, 3*time.Minute) // after the last commit
		left := crashed(t, path)
		time.Sleep(3 * time.Hour)
		s = restarted(t, left)
		watch(s, 5*time.Minute)
		sum := total(hours(t, s, "a"))
		mustBe(t, &sum, 90*time.Minute, 25*time.Minute)
		rec, err := s.Changes("a", time.Time{})
		if err != nil || len(rec.Changes) != 3 || len(rec.Unwatched) != 1 {
			t.Fatalf("%+v (%v)", rec, err)
		}
		if d := rec.Unwatched[0].Until.Sub(rec.Unwatched[0].From); d != 3*time.Hour+3*time.Minute {
			t.Errorf("unwatched for %s", d)
		}
		// And again, before anything but the first commit.
		alive(t, s)
		s = restarted(t, crashed(t, left))
		sum = total(hours(t, s, "a"))
		mustBe(t, &sum, 90*time.Minute, 25*time.Minute)
	})
}

// Killed at any commit, the next process has all that was known then.
func TestHistory_SurvivesManyKills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, running, stopped := newPath(t), time.Duration(0), time.Duration(0)
		s := restarted(t, path)
		put(s, "a", provider.StateRunning)
		for i := range 40 {
			watch(s, 13*time.Minute)
			running += 13 * time.Minute
			put(s, "a", provider.StateStopped)
			watch(s, 7*time.Minute)
			stopped += 7 * time.Minute
			put(s, "a", provider.StateRunning)
			alive(t, s)
			if i%3 == 0 {
				path = crashed(t, path)
				time.Sleep(time.Duration(i) * time.Minute)
				s = restarted(t, path)
			}
			for _, all := range [][]rollup.Bucket{hours(t, s, "a"), days(t, s, "a")} {
				sum := total(all)
				mustBe(t, &sum, running, stopped)
			}
		}
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Beside the database, in memory, is until when the process watched. So a kill loses no time
// though the last commit was long ago.
func TestHistory_AKillLosesNoTimeSinceTheLastCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, o := newPath(t), store.Options{Twin: filepath.Join(t.TempDir(), "s.mark")}
		s := open(t, path, o)
		s.Configure([]string{"a"}, nil)
		beginWatch(s)
		put(s, "a", provider.StateRunning)
		watch(s, 50*time.Minute)
		synctest.Wait()
		// A kill leaves these files as they are now.
		left := map[string][]byte{}
		for _, name := range []string{path, path + ".owner", o.Twin} {
			left[name] = read(t, name)
		}
		s.Close()
		for name, data := range left {
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour)
		s = open(t, path, o)
		sum := total(hours(t, s, "a"))
		if d := 50*time.Minute - sum.In(provider.StateRunning); d < 0 || d > 10*time.Second {
			t.Errorf("a kill lost %s", d)
		}
	})
}

// Time in which nobody watched is unknown, whether it ends with the daemon alive or killed.
func TestHistory_ALapseIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := newPath(t)
		s := restarted(t, path)
		put(s, "a", provider.StateRunning)
		watch(s, 10*time.Minute)
		time.Sleep(40 * time.Minute)
		s.Watch(store.Watched{Wall: time.Now(), Missed: 40 * time.Minute})
		watch(s, 5*time.Minute)
		alive(t, s)
		for _, s := range []*store.Store{s, restarted(t, crashed(t, path))} {
			sum := total(hours(t, s, "a"))
			mustBe(t, &sum, 15*time.Minute, 0)
		}
	})
}

// What the clock jumped is not time that passed, and the hour that is open moves with it.
func TestHistory_ClockIsSet(t *testing.T) {
	for _, by := range []time.Duration{-26 * time.Hour, -time.Hour, 3 * time.Hour, 20 * 365 * rollup.Day} {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			s := restarted(t, path)
			put(s, "a", provider.StateRunning)
			watch(s, 30*time.Hour+10*time.Minute)
			wall := func() time.Time { return time.Now().Add(by) }
			time.Sleep(time.Second)
			s.Watch(store.Watched{Wall: wall(), Seen: time.Second, Jumped: by})
			for range 12 * 60 * 3 {
				time.Sleep(5 * time.Second)
				s.Watch(store.Watched{Wall: wall(), Seen: 5 * time.Second})
			}
			alive(t, s)
			want := 33*time.Hour + 10*time.Minute + time.Second
			for _, s := range []*store.Store{s, open(t, crashed(t, path), store.Options{})} {
				steps := []func(string, time.Time, time.Time) ([]rollup.Bucket, error){s.Days, s.Hours}
				if by > store.KeepHours {
					steps = steps[:1] // old hours go
				}
				for _, step := range steps {
					all, err := step("a", time.Time{}, wall().AddDate(1, 0, 0))
					if err != nil {
						t.Fatal(err)
					}
					sum := total(all)
					mustBe(t, &sum, want, 0)
				}
			}
		})
	}
}

// A provider that is removed keeps its history, and continues it when it comes back.
func TestHistory_OfARemovedProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := newPath(t)
		s := restarted(t, path)
		put(s, "a", provider.StateRunning)
		watch(s, 10*time.Minute)
		s.Configure([]string{"b"}, nil)
		watch(s, 3*time.Hour)
		s = open(t, crashed(t, path), store.Options{})
		s.Configure([]string{"b", "c"}, nil)
		beginWatch(s)
		sum := total(days(t, s, "a"))
		mustBe(t, &sum, 10*time.Minute, 0)
		s.Configure([]string{"a", "b"}, nil)
		put(s, "a", provider.StateRunning)
		watch(s, time.Hour)
		sum = total(days(t, s, "a"))
		mustBe(t, &sum, 70*time.Minute, 0)
		if b, c := total(days(t, s, "b")), total(days(t, s, "c")); b.Known() != 0 || c.Known() != 0 {
			t.Errorf("others have a history: %v, %v", b.States(), c.States())
		}
	})
}

// What does not count is not known: paused, UNKNOWN, and what users say.
func TestHistory_CountsWhatIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := restarted(t, newPath(t))
		put(s, "a", provider.StateRunning)
		watch(s, time.Minute)
		heard := result("a", provider.StateDegraded, "")
		heard.Status.Hearsay = &provider.Hearsay{Over: &provider.Beneath{State: provider.StateRunning, Reason: provider.OK}}
		s.Put(heard)
		watch(s, time.Minute)
		paused := change("a", provider.StateRunning, "")
		paused.Status.Reason, paused.Event.Reason = provider.Paused, provider.Paused
		s.Put(paused)
		watch(s, time.Minute)
		put(s, "a", provider.StateUnknown)
		watch(s, time.Minute)
		slow := change("a", provider.StateDegraded, "")
		slow.Status.Reason = provider.Slow
		s.Put(slow)
		watch(s, time.Minute)
		sum := total(hours(t, s, "a"))
		if sum.Known() != 3*time.Minute || sum.In(provider.StateRunning) != 2*time.Minute || sum.Usable() != 3*time.Minute {
			t.Errorf("known %s, usable %s: %v", sum.Known(), sum.Usable(), sum.States())
		}
	})
}

// A damaged bucket is lost alone: the log says so, and rows, events and the other buckets stay.
func TestHistory_ADamagedBucketIsLostAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := newPath(t)
		s := restarted(t, path)
		put(s, "a", provider.StateRunning)
		put(s, "b", provider.StateRunning)
		watch(s, 5*time.Hour)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		var value []byte
		db, err := bolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = db.View(func(tx *bolt.Tx) error {
			_, found := tx.Bucket([]byte("hour")).Cursor().Seek([]byte{0x38, 0x6d, 0x50, 0x80}) // some hour after midnight
			value = bytes.Clone(found)
			return nil
		})
		data, bad := read(t, path), bytes.Clone(value)
		bad[len(bad)-1] ^= 4
		if err := errors.Join(err, db.Close(), os.WriteFile(path, bytes.ReplaceAll(data, value, bad), 0o600)); err != nil {
			t.Fatal(err)
		}
		s, log := logged(t, path)
		if n := len(hours(t, s, "a")) + len(hours(t, s, "b")); n != 9 {
			t.Errorf("%d hours, want all but one", n)
		}
		if len(s.Restored()) != 2 || len(mustEvents(t, s, 0, 0)) != 2 {
			t.Errorf("rows or events are lost: %d, %d", len(s.Restored()), len(mustEvents(t, s, 0, 0)))
		}
		if got := log(); !contains(got, "damaged_history=1", "lost_rows=[]", "missing_events=0") {
			t.Errorf("the log: %s", got)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// logged opens a database, and returns what it logs.
func logged(t testing.TB, path string) (*store.Store, func() string) {
	var log bytes.Buffer
	s := open(t, path, store.Options{Log: hclog.New(&hclog.LoggerOptions{Output: &log})})
	return s, log.String
}

func contains(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
