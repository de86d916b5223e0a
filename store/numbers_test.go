package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// given is what clients got from a database before something happened to it.
type given struct {
	first, newest, generation uint64
}

// aLife opens the database as a daemon does, shows n changes, accepts refreshes, and closes
// it.
func aLife(t *testing.T, path string, o store.Options, n int) given {
	t.Helper()
	s, err := store.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	s.Configure([]string{"a"}, nil)
	g := given{first: s.View().Seq() + 1}
	for i := range n {
		u := change("a", provider.StateRunning, fmt.Sprint(i))
		u.Status.Paused = true
		s.Put(u)
	}
	for range 100 {
		g.generation = s.NextGeneration()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	g.newest = s.View().Seq()
	return g
}

func mustCopy(t *testing.T, from, to string) {
	t.Helper()
	if err := os.WriteFile(to, mustRead(t, from), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Every way to an empty or older database: no number is used again, and a client that resumes
// is told that the events are gone.
func TestOpen_NumbersNeverComeAgain(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, path, older string) // older is a copy, and older+".owner" of what was beside it
		kept bool                                   // rows are
	}{
		{"Deleted", func(t *testing.T, path, _ string) { os.Remove(path) }, false},
		{"DeletedWithAll", func(t *testing.T, path, _ string) { os.RemoveAll(filepath.Dir(path)) }, false},
		{"MovedAway", func(t *testing.T, path, _ string) { os.Rename(path, path+".moved") }, false},
		{"Emptied", func(t *testing.T, path, _ string) { os.Truncate(path, 0) }, false},
		{"BothMetaPagesLost", func(t *testing.T, path, _ string) {
			data := mustRead(t, path)
			clear(data[:2*os.Getpagesize()])
			os.WriteFile(path, data, 0o600)
		}, false},
		{"OlderCopyInPlace", func(t *testing.T, path, older string) { mustCopy(t, older, path) }, true},
		{"OlderCopyMovedThere", func(t *testing.T, path, older string) { os.Rename(older, path) }, true},
		{"OlderFolderRestored", func(t *testing.T, path, older string) {
			os.RemoveAll(filepath.Dir(path))
			os.Mkdir(filepath.Dir(path), 0o700)
			mustCopy(t, older, path)
			mustCopy(t, older+".owner", path+".owner")
		}, true},
		{"DamagedOlderCopy", func(t *testing.T, path, older string) {
			mustCopy(t, older, path)
			file, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			file.WriteAt([]byte("damage"), int64(5*os.Getpagesize())+1)
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state", "providerd.db")
			aLife(t, path, store.Options{}, 5)
			older := filepath.Join(t.TempDir(), "older.db")
			mustCopy(t, path, older)
			mustCopy(t, path+".owner", older+".owner")
			was := aLife(t, path, store.Options{}, 5)
			for range 2 { // the same again must not lead to the same numbers
				again := filepath.Join(t.TempDir(), "again.db")
				mustCopy(t, older, again)
				mustCopy(t, older+".owner", again+".owner")
				c.do(t, path, again)
				s, err := store.Open(path, store.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if seq := s.View().Seq(); seq < was.newest || seq >= 1<<53 || s.Generation() < was.generation {
					t.Errorf("seq %d after %d, generation %d after %d", seq, was.newest, s.Generation(), was.generation)
				}
				for _, since := range []uint64{was.first, was.newest - 1, was.newest} {
					if _, err := s.Events(since, 0); !isGone(err) {
						t.Errorf("events since %d of %d: %v", since, was.newest, err)
					}
				}
				if row, ok := s.Restored()["a"]; ok != c.kept || ok && !row.Paused {
					t.Errorf("row a: %v, %+v", ok, row)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				was = aLife(t, path, store.Options{}, 5)
			}
		})
	}
}

// A wrong clock, now or earlier, causes no duplicate number either.
func TestOpen_NumbersAndAWrongClock(t *testing.T) {
	at := func(year int) store.Options {
		return store.Options{Now: func() time.Time { return time.Date(year, 1, 2, 3, 4, 5, 0, time.UTC) }}
	}
	for _, c := range []struct {
		name        string
		first, then int // the clock's year
	}{
		{"WasAhead", 2036, 2026},
		{"IsAhead", 2026, 2036},
		{"WithoutABattery", 1970, 1970},
		{"WithoutABatteryNow", 2026, 1970},
		{"StandsStill", 2026, 2026},
		{"FarBeyond", 2500, 2500},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := newPath(t)
			seen := make(map[uint64]int)
			generations := make(map[uint64]int)
			for life := range 6 {
				o := at(c.then)
				if life == 0 {
					o = at(c.first)
				}
				g := aLife(t, path, o, 50)
				for seq := g.first; seq <= g.newest; seq++ {
					if before, ok := seen[seq]; ok {
						t.Fatalf("event %d is of lives %d and %d", seq, before, life)
					}
					seen[seq] = life
				}
				for n := g.generation - 99; n <= g.generation; n++ {
					if before, ok := generations[n]; ok {
						t.Fatalf("generation %d is of lives %d and %d", n, before, life)
					}
					generations[n] = life
				}
				if g.newest >= 1<<53 || g.generation >= 1<<53 {
					t.Errorf("numbers %d and %d are not exact in JSON", g.newest, g.generation)
				}
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A copy that is restored or put there twice, while the clock cannot tell, gets different
// numbers each time.
func TestRestore_TwiceWithoutAClock(t *testing.T) {
	saved := backUp(t, withEvents(t, newPath(t), store.Options{}, 40))
	o := store.Options{Now: func() time.Time { return time.Unix(77, 0) }}
	once, twice := aLife(t, copyOf(t, saved), o, 50), aLife(t, copyOf(t, saved), o, 50)
	if once.first <= twice.newest && twice.first <= once.newest {
		t.Errorf("events %d to %d, then %d to %d", once.first, once.newest, twice.first, twice.newest)
	}
	if once.generation-100 < twice.generation && twice.generation-100 < once.generation {
		t.Errorf("generations up to %d, then up to %d", once.generation, twice.generation)
	}
}

// Numbers continue by one across restarts, whatever the clock says: no client is told of a
// loss that did not happen.
func TestOpen_NumbersGoOn(t *testing.T) {
	path := newPath(t)
	now := time.Now()
	was := aLife(t, path, store.Options{Now: func() time.Time { return now }}, 5)
	for _, step := range []time.Duration{time.Hour, -48 * time.Hour, 87_600 * time.Hour, time.Millisecond} {
		now = now.Add(step)
		is := aLife(t, path, store.Options{Now: func() time.Time { return now }}, 5)
		if is.first != was.newest+1 || is.generation <= was.generation {
			t.Errorf("%v later: event %d after %d, generation %d after %d", step, is.first, was.newest, is.generation, was.generation)
		}
		was = is
	}
}

// A write that was interrupted at the worst moment, with the old file moved away and the new
// one not yet there, loses nothing.
func TestOpen_FinishesWhatAKillInterrupted(t *testing.T) {
	path := newPath(t)
	withEvents(t, path, store.Options{}, 40).Close()
	if err := os.Rename(path, path+".new"); err != nil {
		t.Fatal(err)
	}
	if events := mustEvents(t, open(t, path, store.Options{}), 0, 0); len(events) != 40 {
		t.Errorf("%d events of 40", len(events))
	}
}

// Events that were lost in the middle are a gap that is reported to everybody: to clients that
// resume before it, in the history, and in the log.
func TestOpen_LostEventsAreAToldGap(t *testing.T) {
	path := newPath(t)
	withEvents(t, path, store.Options{}, 400).Close()
	damaged := mustRead(t, path)
	for seq := 101; seq <= 120; seq++ {
		text := fmt.Appendf(nil, `{"seq":%d,`, seq)
		damaged = bytes.ReplaceAll(damaged, text, append([]byte("["), text[1:]...)) // in each copy of the page
	}
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s := open(t, path, store.Options{Log: hclog.New(&hclog.LoggerOptions{Output: &log})})
	for range 2 {
		if events := mustEvents(t, s, 0, 0); len(events) != 100 || events[99].Seq != 100 {
			t.Fatalf("before the gap are %d events", len(events))
		}
		if events := mustEvents(t, s, 120, 0); len(events) != 280 || events[0].Seq != 121 {
			t.Fatalf("behind the gap are %d events", len(events))
		}
		for _, since := range []uint64{100, 110, 119} {
			var gap *store.GapError
			if _, err := s.Events(since, 0); !isGone(err) || !errors.As(err, &gap) || gap.First != since+1 || gap.Last != 120 {
				t.Errorf("since %d: %v", since, err)
			}
		}
		past, err := s.EventsOf("a")
		if err != nil || len(past.Events) != 190 || len(past.Gaps) != 1 || past.Gaps[0] != (provider.Gap{First: 101, Last: 120}) {
			t.Errorf("the history has %d events, and the gaps %v (%v)", len(past.Events), past.Gaps, err)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
		s = reopen(t, s, path, store.Options{})
	}
	if !strings.Contains(log.String(), "events=380 missing_events=20") {
		t.Errorf("the log says %s", &log)
	}
	// Retention also removes what is before the gap.
	s = reopen(t, s, path, store.Options{KeepEvents: 10})
	mustWork(t, s)
	if past, err := s.EventsOf("a"); err != nil || len(past.Events) > 10 || len(past.Gaps) > 0 {
		t.Errorf("%d entries are kept, and gaps %v (%v)", len(past.Events), past.Gaps, err)
	}
}

// If a disk lost what it had confirmed, the database and the mark beside it at once, the mark
// in memory shows it. The mark of another database says nothing.
func TestOpen_NumbersOfADiskThatLied(t *testing.T) {
	for name, forgets := range map[string]bool{"TheDisk": false, "MemoryToo": true} {
		t.Run(name, func(t *testing.T) {
			disk, memory := t.TempDir(), t.TempDir()
			path, before := filepath.Join(disk, "p.db"), filepath.Join(memory, "before")
			o := store.Options{Twin: filepath.Join(memory, "folder", "s.mark")}
			if err := os.Mkdir(filepath.Dir(o.Twin), 0o700); err != nil {
				t.Fatal(err)
			}
			if !forgets {
				aLife(t, filepath.Join(t.TempDir(), "other.db"), o, 9) // which had that twin
			}
			first := aLife(t, path, o, 3)
			if err := os.CopyFS(before, os.DirFS(disk)); err != nil {
				t.Fatal(err)
			}
			seen := aLife(t, path, o, 5)
			// In place: the file stays the same one.
			for _, name := range []string{"p.db", "p.db.owner"} {
				if err := os.WriteFile(filepath.Join(disk, name), mustRead(t, filepath.Join(before, name)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if forgets {
				o.Twin = ""
			}
			s, err := store.Open(path, o)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			_, err = s.Events(seen.newest, 0)
			var gone *provider.Error
			if told := errors.As(err, &gone) && gone.Code == provider.EventsGone; !told {
				t.Errorf("after event %d: %v, want events_gone", seen.newest, err)
			}
			if again := s.View().Seq() <= seen.newest; again != forgets {
				t.Errorf("events go on from %d, after %d and %d were seen", s.View().Seq(), first.newest, seen.newest)
			}
		})
	}
}
