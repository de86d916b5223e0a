package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// backUp makes a copy and returns where it was saved.
func backUp(t testing.TB, s *store.Store) string {
	t.Helper()
	b, err := s.Backup()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(b)
	if err := errors.Join(err, b.Close()); err != nil {
		t.Fatal(err)
	}
	if int64(len(data)) != b.Size() {
		t.Errorf("%d bytes, and Size says %d", len(data), b.Size())
	}
	path := newPath(t)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// mustBeAlone checks that only the owner's file is beside the database.
func mustBeAlone(t testing.TB, path string) {
	t.Helper()
	names, err := filepath.Glob(path + "*")
	if err != nil || len(names) != 2 {
		t.Errorf("in the folder: %v (%v)", names, err)
	}
}

// A copy that is made while the database is written is complete, and has everything that
// was seen before.
func TestBackup_UnderWrites(t *testing.T) {
	path := newPath(t)
	s := withEvents(t, path, store.Options{}, 500)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for n := range 10 { // the first of them without a pause
			next := s.NextEvents()
			s.Put(change("a", provider.StateRunning, strings.Repeat("x", n*100)))
			<-next
		}
	}()
	for last := false; !last; {
		last = isClosed(stopped)
		seen := mustEvents(t, s, 0, 0)
		saved := backUp(t, s)
		mustBeSound(t, saved)
		copied := open(t, saved, store.Options{})
		if err := copied.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if diff := missing(seen, mustEvents(t, copied, 0, 0)); diff != "" {
			t.Error(diff)
		}
	}
	mustBeAlone(t, path)
}

// missing returns the events that are not in a copy, whose numbers are different.
func missing(seen, copied []provider.Event) string {
	if len(copied) < len(seen) {
		return fmt.Sprintf("%d events of %d", len(copied), len(seen))
	}
	for i, e := range seen {
		if c := copied[i]; c.ID != e.ID || c.Detail != e.Detail {
			return fmt.Sprintf("event %d is %+v, want %+v", i, c, e)
		}
	}
	return ""
}

func TestBackup_OneAtATime(t *testing.T) {
	path := newPath(t)
	s := withEvents(t, path, store.Options{}, 4)
	b, err := s.Backup()
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		mustBeAlone(t, path) // its name is gone already
	}
	if _, err := s.Backup(); !errors.Is(err, store.ErrBackupUnderWay) {
		t.Errorf("a second one beside it: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	mustBeSound(t, backUp(t, s))
}

// The leftovers of a killed daemon are removed, at the next start or with the next backup.
func TestBackup_CleansUpAfterAKill(t *testing.T) {
	path := newPath(t)
	left := path + ".backup"
	if err := os.WriteFile(left, []byte("half a copy"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := withEvents(t, path, store.Options{}, 4)
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the start: %v", err)
	}
	if err := os.WriteFile(left, []byte("half a copy"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustBeSound(t, backUp(t, s))
	mustBeAlone(t, path)
}

func TestBackup_OfAClosedStore(t *testing.T) {
	path := newPath(t)
	s := withEvents(t, path, store.Options{}, 4)
	s.Close()
	if b, err := s.Backup(); err == nil {
		b.Close()
		t.Error("it was copied")
	}
	mustBeAlone(t, path)
}

// No number that a client may have seen is used again: neither those from after the backup
// nor those from after its first restore.
func TestRestore_NumbersAnew(t *testing.T) {
	path := newPath(t)
	s := withEvents(t, path, store.Options{KeepEvents: 30}, 40)
	rows := s.View().Len()
	before := mustEvents(t, s, 10, 0)
	saved := backUp(t, s)
	s.Put(change("a", provider.StateError, "after the backup"))
	seq, generation := s.View().Seq(), s.NextGeneration()

	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	for range 2 {
		r := open(t, copyOf(t, saved), store.Options{KeepEvents: 30, Now: func() time.Time { return now }})
		first := r.View().Seq()
		if first <= seq || first < uint64(now.UnixMilli()) || r.NextGeneration() <= generation {
			t.Errorf("the newest event is %d after %d, the generation %d after %d", first, seq, r.Generation(), generation)
		}
		after := mustEvents(t, r, 0, 0)
		if diff := missing(before, after); diff != "" || len(after) != len(before) || after[len(after)-1].Seq != first {
			t.Errorf("%s: %+v", diff, after)
		}
		if len(r.Restored()) != rows || r.Restored()["a"].Source != provider.FromRestored {
			t.Errorf("rows: %v", r.Restored())
		}
		if _, err := r.Events(seq, 0); !isGone(err) {
			t.Errorf("events since an old number: %v", err)
		}
		mustWork(t, r)
		seq, generation = r.View().Seq(), r.Generation()
		if seq != first+1 {
			t.Errorf("event %d follows %d", seq, first)
		}
		now = now.Add(time.Minute)
	}
	again := reopen(t, s, path, store.Options{})
	if n := again.View().Seq(); n != 41 {
		t.Errorf("the database that was copied goes on with %d", n)
	}
}

// Numbers jump only once: a restored database is no longer a backup.
func TestRestore_Once(t *testing.T) {
	s := withEvents(t, newPath(t), store.Options{}, 4)
	saved := backUp(t, s)
	r := open(t, saved, store.Options{})
	seq := r.View().Seq()
	r = reopen(t, r, saved, store.Options{})
	if got := r.View().Seq(); got != seq {
		t.Errorf("opened again: event %d, was %d", got, seq)
	}
}

// A damaged copy is set aside like any other.
func TestRestore_Damaged(t *testing.T) {
	saved := backUp(t, withEvents(t, newPath(t), store.Options{}, 400))
	data, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(saved, bytes.Repeat([]byte{0}, len(data)), 0o600); err != nil {
		t.Fatal(err)
	}
	mustWork(t, open(t, saved, store.Options{}))
	if found, _ := filepath.Glob(saved + ".corrupt-*"); len(found) != 1 {
		t.Errorf("aside: %v", found)
	}
}

func isGone(err error) bool {
	var e *provider.Error
	return errors.As(err, &e) && e.Code == provider.EventsGone
}
