package store_test

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// historyDamage is a damaged part in each bucket of the history: the first one of provider a,
// and what of a's 30 hours is left when the file is opened.
var historyDamage = []struct {
	bucket string
	hours  int
	live   string // what a running daemon logs when it reads the part, which is in memory otherwise
}{
	{"names", 0, ""},
	{"open", 30, ""},
	{"change", 31, "which=\"change 0000000100000000\""},
	{"hour", 30, "which=\"hour "},
	{"day", 31, "which=\"day "},
}

// damagePart changes the last byte of the first value of provider a in a bucket, wherever the file
// has it.
func damagePart(t *testing.T, path, bucket string) {
	t.Helper()
	copied := copyOf(t, path)
	var value []byte
	db, err := bolt.Open(copied, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *bolt.Tx) error {
		_, first := tx.Bucket([]byte(bucket)).Cursor().First()
		if bucket == "change" { // the first is of this machine
			first = tx.Bucket([]byte(bucket)).Get([]byte{0, 0, 0, 1, 0, 0, 0, 0})
		}
		value = bytes.Clone(first)
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil || len(value) == 0 {
		t.Fatalf("%s: %q (%v)", bucket, value, err)
	}
	data := read(t, path)
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for at, n := 0, 0; ; n++ {
		i := bytes.Index(data[at:], value)
		if i < 0 {
			if n == 0 {
				t.Fatalf("%s: it is not in the file", bucket)
			}
			return
		}
		at += i + len(value)
		if _, err := file.WriteAt([]byte{data[at-1] ^ 4}, int64(at-1)); err != nil {
			t.Fatal(err)
		}
	}
}

// aHistory is 30 hours and a half of a provider, closed or open.
func aHistory(t *testing.T, path string) *store.Store {
	t.Helper()
	s := open(t, path, store.Options{})
	s.Configure([]string{"a"}, nil)
	beginWatch(s)
	put(s, "a", provider.StateStopped)
	watch(s, time.Minute)
	put(s, "a", provider.StateRunning)
	watch(s, 30*time.Hour+30*time.Minute)
	return s
}

// Damage in any part of the history is lost alone when the file is opened: rows and events stay,
// and the history continues.
func TestHistory_OpensWithADamagedPart(t *testing.T) {
	for _, tt := range historyDamage {
		t.Run(tt.bucket, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := newPath(t)
				if err := aHistory(t, path).Close(); err != nil {
					t.Fatal(err)
				}
				damagePart(t, path, tt.bucket)
				s, log := logged(t, path)
				if n := len(hours(t, s, "a")); n != tt.hours {
					t.Errorf("%d hours, want %d", n, tt.hours)
				}
				if len(s.Restored()) != 1 || len(mustEvents(t, s, 0, 0)) != 2 {
					t.Errorf("rows or events are lost: %v", s.Restored())
				}
				if got := log(); !contains(got, "damaged_history=1", "lost_rows=[]", "missing_events=0") {
					t.Errorf("the log: %s", got)
				}
				before := total(days(t, s, "a"))
				s.Configure([]string{"new", "a"}, nil)
				beginWatch(s)
				put(s, "a", provider.StateRunning)
				watch(s, 2*time.Hour)
				if other := days(t, s, "new"); len(other) != 0 {
					t.Errorf("a new provider has the history of another: %+v", other)
				}
				after := total(days(t, s, "a"))
				if d := after.Known() - before.Known(); d != 2*time.Hour {
					t.Errorf("%s are known of two hours", d)
				}
				if err := s.Check(t.Context()); err != nil {
					t.Error(err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				mustBeSound(t, path)
			})
		})
	}
}

// A part that is damaged while the daemon runs is left out by those who read it, and the log has it
// once. The names and open hours of a running daemon are in memory.
func TestHistory_ReadsAPartThatIsDamagedLive(t *testing.T) {
	for _, tt := range historyDamage {
		t.Run(tt.bucket, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := newPath(t)
				aHistory(t, path).Close()
				s, log := logged(t, path)
				s.Configure([]string{"a"}, nil)
				beginWatch(s)
				alive(t, s)
				whole := total(days(t, s, "a"))
				damagePart(t, path, tt.bucket)
				for range 2 {
					wantHours, wantKnown, wantChanges := 31, whole.Known(), true
					switch tt.bucket {
					case "hour":
						wantHours = 30
					case "day":
						wantKnown -= 24 * time.Hour
					case "change":
						wantChanges = false
					}
					sum := total(days(t, s, "a"))
					if n := len(hours(t, s, "a")); n != wantHours || sum.Known() != wantKnown || (len(mustChanges(t, s, "a")) > 0) != wantChanges {
						t.Errorf("%d hours, want %d; %s known, want %s; changes %v", n, wantHours, sum.Known(), wantKnown, mustChanges(t, s, "a"))
					}
				}
				const said = "a damaged part of the history is left out"
				if n := bytes.Count([]byte(log()), []byte(said)); tt.live == "" && n != 0 || tt.live != "" && (n != 1 || !contains(log(), tt.live)) {
					t.Errorf("%d lines: %s", n, log())
				}
			})
		})
	}
}
