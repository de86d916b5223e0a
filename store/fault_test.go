//go:build unix

package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// faultEvents is more than memory keeps, so that some must come from the disk.
const faultEvents = 1500

// withHistory is an open store with many events, the newest of them in memory, a paused row,
// and its log.
func withHistory(t *testing.T, path string) (*store.Store, *lockedLog) {
	t.Helper()
	log := new(lockedLog)
	o := store.Options{Log: hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Info})}
	s := withEvents(t, path, o, faultEvents)
	paused := change("b", provider.StateUnknown, "held")
	paused.Status.Paused = true
	next := s.NextEvents()
	s.Put(paused)
	<-next
	return s, log
}

type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// overwrite spoils everything except the head of a file, in place.
func overwrite(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	head := int64(2 * os.Getpagesize())
	_, err = f.WriteAt(bytes.Repeat([]byte{0xFF}, int(info.Size()-head)), head)
	return err
}

// exchange replaces the open database with a copy of an older one.
func exchange(path, by string) error {
	data, err := os.ReadFile(by)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".tmp", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// mishaps are what can happen to an open file, whether its older events are lost with it, and
// what is beside the new file afterwards.
var mishaps = []struct {
	name   string
	lost   bool
	beside string // the start of the name of what was kept, in the same folder
	do     func(path, older string) error
}{
	{"CutToItsHead", true, "corrupt", func(path, _ string) error { return os.Truncate(path, int64(2*os.Getpagesize())) }},
	{"CutToNothing", true, "corrupt", func(path, _ string) error { return os.Truncate(path, 0) }},
	{"Overwritten", true, "corrupt", func(path, _ string) error { return overwrite(path) }},
	{"OverwrittenByAnOlderCopy", true, "corrupt", func(path, older string) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(older)
		if err != nil {
			return err
		}
		return errors.Join(os.WriteFile(path, data, 0o600), os.Truncate(path, info.Size()))
	}},
	{"Deleted", false, "", func(path, _ string) error { return os.Remove(path) }},
	{"Renamed", false, "", func(path, _ string) error { return os.Rename(path, filepath.Join(filepath.Dir(path), "elsewhere")) }},
	{"MovedToAnotherFolder", false, "", func(path, _ string) error { return os.Rename(path, path+".d/moved") }},
	{"ReplacedByAnOlderCopy", false, "displaced", exchange},
	{"ReplacedByAFolder", false, "displaced", func(path, _ string) error { return errors.Join(os.Remove(path), os.MkdirAll(path+"/x", 0o700)) }},
	{"ReplacedByALink", false, "displaced", func(path, older string) error { return errors.Join(os.Remove(path), os.Symlink(older, path)) }},
	{"ReplacedByAnEmptyFile", false, "displaced", func(path, _ string) error { return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600)) }},
	{"FolderRenamed", false, "", func(path, _ string) error {
		return os.Rename(filepath.Dir(path), filepath.Dir(path)+"-old")
	}},
	{"FolderDeleted", false, "", func(path, _ string) error { return os.RemoveAll(filepath.Dir(path)) }},
	{"LockDeleted", false, "", func(path, _ string) error { return os.Remove(path + ".owner") }},
}

// Whatever happens to the open file, and whoever notices first: it is logged once, everything
// that clients have seen is at the path again with the same numbers, and changes are
// committed as before.
func TestStore_OutlivesItsFile(t *testing.T) {
	older := filepath.Join(t.TempDir(), "older.db")
	withEvents(t, older, store.Options{}, 20).Close()
	for _, m := range mishaps {
		for _, meets := range []struct {
			name string
			do   func(t *testing.T, s *store.Store)
		}{
			{"Commit", func(_ *testing.T, s *store.Store) { s.Put(change("a", provider.StateError, "next")) }},
			{"History", func(t *testing.T, s *store.Store) {
				past, err := s.EventsOf("b")
				if n := len(past.Events); err != nil || n == 0 || past.Events[n-1].Detail != "held" {
					t.Errorf("the history is %d events, and not up to date (%v)", n, err)
				}
			}},
			{"Events", func(t *testing.T, s *store.Store) {
				if events, err := s.Events(0, 5); err == nil && events[0].Detail != "1" {
					t.Errorf("the oldest event is %+v", events[0])
				}
			}},
			{"Backup", func(t *testing.T, s *store.Store) {
				b, err := s.Backup()
				if err != nil {
					return
				}
				defer b.Close()
				if b.Size() < 200_000 { // as that of the older copy
					t.Errorf("the backup has %d bytes", b.Size())
				}
			}},
			{"Check", func(_ *testing.T, s *store.Store) { s.Check(t.Context()) }},
			{"Nobody", func(*testing.T, *store.Store) {}},
		} {
			t.Run(m.name+"/"+meets.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					path := filepath.Join(t.TempDir(), "state", "providerd.db")
					s, log := withHistory(t, path)
					if err := os.MkdirAll(path+".d", 0o700); err != nil {
						t.Fatal(err)
					}
					seen, generation := mustEvents(t, s, 0, 0), s.NextGeneration()
					newest := seen[len(seen)-1].Seq
					if err := m.do(path, older); err != nil {
						t.Fatal(err)
					}
					meets.do(t, s)
					s.Put(change("a", provider.StateError, "after"))
					time.Sleep(9 * time.Second)
					synctest.Wait()

					v := s.View()
					if got := v.Row("a").Status.Detail; got != "after" || !v.Row("b").Status.Paused {
						t.Errorf("row a is %q, b paused: %v", got, v.Row("b").Status.Paused)
					}
					if text := s.Stats().LastError; text != "" {
						t.Errorf("it is not mended: %s", text)
					}
					follows := mustEvents(t, s, newest, 0) // as a follower goes on
					if len(follows) == 0 || follows[0].Seq != newest+1 || follows[len(follows)-1].Detail != "after" {
						t.Errorf("after %d came %+v", newest, follows)
					}
					if n := strings.Count(log.String(), "wrote a new database") + strings.Count(log.String(), "was taken again"); n != 1 {
						t.Errorf("it was said %d times:\n%s", n, log)
					}
					mustKeep(t, s, seen, m.lost)
					if kept, _ := filepath.Glob(path + "." + m.beside + "-*"); m.beside != "" && len(kept) != 1 {
						t.Errorf("kept beside it: %v", kept)
					}
					if err := s.Check(t.Context()); err != nil {
						t.Error(err)
					}
					s = reopen(t, s, path, store.Options{})
					if !s.Restored()["b"].Paused || s.NextGeneration() <= generation {
						t.Errorf("after a restart b is %+v", s.Restored()["b"])
					}
					mustKeep(t, s, seen, m.lost)
					if again := mustEvents(t, s, newest, 0); len(again) != len(follows) {
						t.Errorf("after a restart %d events follow, and %d did before", len(again), len(follows))
					}
				})
			})
		}
	}
}

// mustKeep checks that the events that were seen are there with the same numbers: all of
// them or, if the older ones are lost, the newest. Clients that resume from lost events are
// told so.
func mustKeep(t *testing.T, s *store.Store, seen []provider.Event, lost bool) {
	t.Helper()
	now := mustEvents(t, s, 0, 0)
	if len(now) == 0 || !lost && now[0].Seq != seen[0].Seq || lost && now[0].Seq > seen[len(seen)-1000].Seq {
		t.Fatalf("of %d events from %d on, %d are left from %d on", len(seen), seen[0].Seq, len(now), now[0].Seq)
	}
	for i, e := range now {
		if seq := now[0].Seq + uint64(i); e.Seq != seq {
			t.Fatalf("event %d comes after %d", e.Seq, seq-1)
		}
		if at := e.Seq - seen[0].Seq; at < uint64(len(seen)) && seen[at].Detail != e.Detail {
			t.Fatalf("event %d was %q, and is %q", e.Seq, seen[at].Detail, e.Detail)
		}
	}
	if now[0].Seq > seen[0].Seq {
		if _, err := s.Events(now[0].Seq-2, 0); !isGone(err) {
			t.Errorf("going on from what is lost: %v", err)
		}
	}
}

// A lost disk is reported, reads answer from memory, and everything is written when there is
// a place to write again.
func TestStore_NowhereToWriteAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "state")
		path := filepath.Join(dir, "providerd.db")
		s, log := withHistory(t, path)
		newest := s.View().Seq()
		if err := errors.Join(os.Rename(dir, dir+"-old"), os.WriteFile(dir, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		s.Put(change("a", provider.StateError, "after"))
		time.Sleep(8 * time.Second)
		synctest.Wait()
		if text := s.Stats().LastError; !strings.Contains(text, "moved or deleted") {
			t.Errorf("it says %q", text)
		}
		if s.View().Seq() != newest || s.View().Row("a").Status.Detail == "after" || len(mustEvents(t, s, newest-5, 0)) != 5 {
			t.Error("readers do not see the last state that was saved")
		}
		if n := strings.Count(log.String(), "[ERROR]"); n != 1 {
			t.Errorf("said %d times:\n%s", n, log)
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if s.Stats().LastError != "" || s.View().Row("a").Status.Detail != "after" || s.View().Seq() != newest+1 {
			t.Errorf("not mended: %q", s.Stats().LastError)
		}
		if len(mustEvents(t, s, 0, 0)) != faultEvents+2 {
			t.Error("older events are lost")
		}
	})
}

// Reads in progress when the file is lost return, and so do later ones.
func TestStore_ReadersOutliveTheFile(t *testing.T) {
	path := newPath(t)
	s, _ := withHistory(t, path)
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for i := range 8 {
		readers.Go(func() {
			for !isClosed(stop) {
				switch i % 4 {
				case 0:
					s.EventsOf("a")
				case 1:
					s.Events(0, 100)
				case 2:
					s.Check(t.Context())
				case 3:
					if b, err := s.Backup(); err == nil {
						b.Close()
					}
				}
			}
		})
	}
	for n := range 7 { // those that are committed at once
		damage := func() error { return os.Truncate(path, int64(n%3*os.Getpagesize())) }
		if n%4 == 3 {
			damage = func() error { return overwrite(path) }
		}
		if err := damage(); err != nil && !errors.Is(err, fs.ErrNotExist) { // it is being replaced
			t.Fatal(err)
		}
		next := s.NextEvents()
		s.Put(change("a", provider.StateRunning, fmt.Sprint("n", n)))
		<-next
	}
	close(stop)
	readers.Wait()
	events := mustEvents(t, s, 0, 0)
	if got := events[len(events)-1].Detail; got != "n6" {
		t.Errorf("the last event is %q", got)
	}
	for i, e := range events {
		if e.Seq != events[0].Seq+uint64(i) {
			t.Fatalf("event %d is %d after %d", i, e.Seq, events[i-1].Seq)
		}
	}
}

// A path has one daemon: if the first daemon loses its folder, a second one gets the path.
// The first then no longer writes, and says so.
func TestStore_AnotherTakesThePath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "state")
		path := filepath.Join(dir, "providerd.db")
		first, err := store.Open(path, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		first.Configure([]string{"a"}, nil)
		synctest.Wait()
		if err := os.Rename(dir, dir+"-old"); err != nil {
			t.Fatal(err)
		}
		second := configured(t, path, store.Options{Owner: store.Owner{PID: 4242, Socket: "/s"}}, "b")
		next := second.NextEvents()
		second.Put(change("b", provider.StateRunning, "theirs"))
		<-next
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if !isClosed(first.Usurped()) || !strings.Contains(first.Stats().LastError, "pid 4242") {
			t.Errorf("after 6 s it says %q", first.Stats().LastError)
		}
		var usurped *store.UsurpedError
		first.Put(change("a", provider.StateRunning, "ours"))
		if err := first.Close(); !errors.As(err, &usurped) || usurped.Hint() == "" {
			t.Errorf("close says %v", err)
		}
		second = reopen(t, second, path, store.Options{})
		if rows := second.Restored(); len(rows) != 1 || rows["b"].Detail != "theirs" {
			t.Errorf("the first wrote to what is not its own: %v", rows)
		}
	})
}

// If only the lock is deleted, a second daemon still finds the database held, and the first
// continues.
func TestStore_LockDeletedIsNoInvitation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := newPath(t)
		first := configured(t, path, store.Options{Owner: store.Owner{PID: 4242}}, "a")
		synctest.Wait()
		if err := os.Remove(path + ".owner"); err != nil {
			t.Fatal(err)
		}
		mustRefuse[*store.HeldError](t, path)
		lock, err := os.OpenFile(path+".owner", os.O_RDWR, 0) // as one that is about to be refused
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			t.Fatal(err)
		}
		time.Sleep(8 * time.Second)
		if text := first.Stats().LastError; !strings.Contains(text, "another process holds it") {
			t.Errorf("it says %q", text)
		}
		lock.Close()
		time.Sleep(8 * time.Second)
		mustRefuse[*store.HeldError](t, path, "4242") // it says again who it is
		if isClosed(first.Usurped()) {
			t.Fatal("it gave up")
		}
		mustWork(t, first)
	})
}
