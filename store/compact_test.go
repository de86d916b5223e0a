//go:build unix

package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// small is the size from which these tests compact.
const small = 1 << 20

// bloat makes a database file of some 2 MB, a third of which is in use: half a megabyte of
// events and what is left of removed providers.
func bloat(t testing.TB, path string) {
	t.Helper()
	s := open(t, path, store.Options{CompactFrom: 1 << 40})
	text := strings.Repeat("x", 25_000)
	names := []string{"a", "b"}
	s.Configure(names, nil)
	for i := range 20 {
		s.Put(change(names[i%2], provider.StateRunning, fmt.Sprint(i+1, text)))
	}
	many := make(map[string]store.Update)
	for i := range 60 {
		id := fmt.Sprint("removed", i)
		names, many[id] = append(names, id), result(id, provider.StateRunning, text)
	}
	s.Configure(names, many)
	barrier(t, s)
	s.Configure(names[:2], nil)
	barrier(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func barrier(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.SyncBarrier(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func mustSize(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// withLog returns options with that log.
func withLog(o store.Options) (store.Options, *lockedLog) {
	log := new(lockedLog)
	o.Log = hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Info})
	return o, log
}

// A file that is mostly free shrinks soon after the start. It is the same database.
func TestCompaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := newPath(t)
		bloat(t, path)
		group := os.Getegid()
		if os.Geteuid() == 0 {
			group = 12345
		}
		if err := errors.Join(os.Chown(path, -1, group), os.Chmod(path, 0o640)); err != nil {
			t.Fatal(err)
		}
		before := mustSize(t, path)
		o, log := withLog(store.Options{CompactFrom: small})
		s := open(t, path, o)
		generation := s.Generation()
		seen := mustEvents(t, s, 0, 0)
		synctest.Wait()
		after := mustSize(t, path)
		if after > before/2 || s.Stats().Bytes != after || s.Stats().Compacted != 1 {
			t.Errorf("%d bytes became %d; %+v", before, after, s.Stats())
		}
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if gid := info.Sys().(*syscall.Stat_t).Gid; info.Mode() != 0o640 || gid != uint32(group) {
			t.Errorf("its mode is %v, and its group %d", info.Mode(), gid)
		}
		mustBeAlone(t, path)
		if n := strings.Count(log.String(), "the database was compacted"); n != 1 || !strings.Contains(log.String(), fmt.Sprint("before=", before, " after=", after)) {
			t.Errorf("it was said %d times:\n%s", n, log)
		}
		mustKeep(t, s, seen, false)
		s.Configure([]string{"a", "b"}, nil)
		for range 2 {
			next := s.NextEvents()
			s.Put(change("b", provider.StateError, "after"))
			<-next
		}
		if got := s.View().Seq(); got != 22 {
			t.Errorf("the newest event is %d", got)
		}
		time.Sleep(24 * time.Hour)
		if n := s.Stats().Compacted; n != 1 {
			t.Errorf("it was compacted %d times", n)
		}
		s = reopen(t, s, path, o)
		mustKeep(t, s, seen, false)
		if rows := s.Restored(); len(rows) != 2 || rows["b"].Detail != "after" || s.NextGeneration() <= generation {
			t.Errorf("after a restart: %+v", rows)
		}
		if strings.Contains(log.String(), "[WARN]") {
			t.Error(log)
		}
	})
}

// Commits, readers and backups do not wait for a compaction, and what they see is the same
// before, during and after it.
func TestCompaction_NobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := newPath(t)
		bloat(t, path)
		begun, goOn := make(chan struct{}), make(chan struct{})
		o := store.WithSteps(store.Options{CompactFrom: small, KeepEvents: 20}, func(step string) error {
			if step == "read back" {
				close(begun)
				<-goOn
			}
			return nil
		})
		s := open(t, path, o)
		s.Configure([]string{"a", "b"}, nil)
		<-begun
		for i := range 5 {
			next := s.NextEvents()
			paused := change("b", provider.StateError, fmt.Sprint("meanwhile ", i))
			paused.Status.Paused = true
			s.Put(paused)
			<-next
		}
		generation := s.NextGeneration()
		seen := mustEvents(t, s, 0, 0)
		saved := backUp(t, s)
		if past, err := s.EventsOf("b"); err != nil || len(past.Events) != 13 || len(past.Gaps) != 0 {
			t.Errorf("%d events of b, gaps %v (%v)", len(past.Events), past.Gaps, err)
		}
		if s.Stats().Compacted != 0 {
			t.Fatal("it is over already")
		}
		close(goOn)
		synctest.Wait()
		if s.Stats().Compacted != 1 {
			t.Fatal("it was not compacted")
		}
		mustKeep(t, s, seen, false)
		if past, err := s.EventsOf("b"); err != nil || len(past.Events) != 13 || len(past.Gaps) != 0 {
			t.Errorf("%d events of b, gaps %v (%v)", len(past.Events), past.Gaps, err)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
		s = reopen(t, s, path, store.Options{CompactFrom: small, KeepEvents: 20})
		mustKeep(t, s, seen, false)
		if rows := s.Restored(); len(rows) != 2 || !rows["b"].Paused || rows["b"].Detail != "meanwhile 4" || s.NextGeneration() <= generation {
			t.Errorf("after a restart: %+v", rows)
		}
		copied := open(t, saved, store.Options{CompactFrom: small, KeepEvents: 20})
		if diff := missing(seen, mustEvents(t, copied, 0, 0)); diff != "" {
			t.Errorf("the backup: %s", diff)
		}
		if copied.View().Seq() == seen[len(seen)-1].Seq {
			t.Error("the backup was not recognised as one")
		}
	})
}

// compactionSteps are the steps of a compaction, in order.
var compactionSteps = []string{"chunk", "read back", "head", "verify", "catch up", "rename", "sync folder"}

// A failure of any step leaves a database that works. It is said once, and tried again
// less and less often.
func TestCompaction_Fails(t *testing.T) {
	for _, at := range compactionSteps {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := newPath(t)
				bloat(t, path)
				var tries atomic.Int64
				var mended atomic.Bool
				o, log := withLog(store.Options{CompactFrom: small})
				s := open(t, path, store.WithSteps(o, func(step string) error {
					if step != at || mended.Load() {
						return nil
					}
					tries.Add(1)
					return syscall.ENOSPC
				}))
				s.Configure([]string{"a", "b"}, nil)
				before, seen := mustSize(t, path), mustEvents(t, s, 0, 0)
				synctest.Wait()
				if at == "sync folder" { // the new file is there; commits wait until that is sure
					s.Put(change("a", provider.StateError, "after"))
					time.Sleep(10 * time.Second)
					if s.View().Row("a").Status.Detail == "after" || !strings.Contains(s.Stats().LastError, "sync the folder") {
						t.Errorf("it was shown, and it says %q", s.Stats().LastError)
					}
					mended.Store(true)
					time.Sleep(2 * time.Second)
					synctest.Wait()
					if s.View().Row("a").Status.Detail != "after" || s.Stats().LastError != "" || s.Stats().Compacted != 1 {
						t.Errorf("not mended: %+v", s.Stats())
					}
					mustKeep(t, s, seen, false)
					return
				}
				if mustSize(t, path) != before || s.Stats().NotCompacted != 1 || s.Stats().LastError != "" {
					t.Errorf("of %d bytes %d are left: %+v", before, mustSize(t, path), s.Stats())
				}
				mustBeAlone(t, path)
				time.Sleep(24 * time.Hour)
				if n := tries.Load(); n < 3 || n > 6 {
					t.Errorf("it was tried %d times on the first day", n)
				}
				if n := strings.Count(log.String(), "could not be compacted"); n != 1 {
					t.Errorf("it was said %d times:\n%s", n, log)
				}
				next := s.NextEvents()
				s.Put(change("a", provider.StateError, "after"))
				<-next
				mended.Store(true)
				time.Sleep(48 * time.Hour)
				if mustSize(t, path) > before/2 || s.Stats().Compacted != 1 {
					t.Errorf("it is not compacted later: %+v", s.Stats())
				}
				mustKeep(t, s, seen, false)
				s = reopen(t, s, path, store.Options{CompactFrom: small})
				if rows := s.Restored(); rows["a"].Detail != "after" {
					t.Errorf("after a restart: %+v", rows)
				}
			})
		})
	}
}

// A damaged, moved or replaced file is replaced as at any other time, and whatever the
// compaction has made by then is of no use.
func TestCompaction_TheFileIsLostMeanwhile(t *testing.T) {
	older := filepath.Join(t.TempDir(), "older.db")
	withEvents(t, older, store.Options{CompactFrom: small}, 20).Close()
	for _, m := range mishaps {
		t.Run(m.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "state", "providerd.db")
				bloat(t, path)
				if err := os.MkdirAll(path+".d", 0o700); err != nil {
					t.Fatal(err)
				}
				o, log := withLog(store.Options{CompactFrom: small})
				at, did := "chunk", false
				if m.lost {
					at = "read back"
				}
				s := open(t, path, store.WithSteps(o, func(step string) error {
					if step != at || did {
						return nil
					}
					did = true
					return m.do(path, older)
				}))
				s.Configure([]string{"a", "b"}, nil)
				seen := mustEvents(t, s, 0, 0)
				s.Put(change("a", provider.StateError, "after"))
				time.Sleep(9 * time.Second)
				synctest.Wait()
				if !did || s.View().Row("a").Status.Detail != "after" || s.Stats().LastError != "" {
					t.Errorf("did %t, it is %+v:\n%s", did, s.Stats(), log)
				}
				mustKeep(t, s, seen, false)
				if left, _ := filepath.Glob(path + ".compact"); len(left) > 0 {
					t.Error("the new file is left behind")
				}
				if err := s.Check(t.Context()); err != nil {
					t.Error(err)
				}
				s = reopen(t, s, path, store.Options{CompactFrom: small})
				mustKeep(t, s, seen, false)
			})
		})
	}
}

// A value that is damaged is found while it is copied. The file is then replaced like any
// damaged one.
func TestCompaction_FindsDamage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := newPath(t)
		bloat(t, path)
		o, log := withLog(store.Options{CompactFrom: small})
		did := false
		s := open(t, path, store.WithSteps(o, func(step string) error {
			if step != "chunk" || did {
				return nil
			}
			did = true
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			image, err := io.ReadAll(f)
			detail := []byte(`"detail":"20xxx`) // of the last event, which the first chunk does not reach
			for i := bytes.Index(image, detail); i >= 0 && err == nil; i = bytes.Index(image, detail) {
				image[i] = 0
				_, err = f.WriteAt([]byte("y"), int64(i+len(detail)+1000))
			}
			return err
		}))
		s.Configure([]string{"a", "b"}, nil)
		seen := mustEvents(t, s, 0, 0)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if kept, _ := filepath.Glob(path + ".corrupt-*"); len(kept) != 1 || s.Stats().LastError != "" {
			t.Errorf("kept: %v; %+v\n%s", kept, s.Stats(), log)
		}
		mustKeep(t, s, seen, false)
	})
}

// If another daemon has taken the path meanwhile, its file stays.
func TestCompaction_AnotherTakesThePath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "state")
		path := filepath.Join(dir, "providerd.db")
		bloat(t, path)
		var second *store.Store
		first, err := store.Open(path, store.WithSteps(store.Options{CompactFrom: small}, func(step string) error {
			if step != "verify" {
				return nil
			}
			if err := os.Rename(dir, dir+"-old"); err != nil {
				return err
			}
			second = configured(t, path, store.Options{CompactFrom: small, Owner: store.Owner{PID: 4242}}, "theirs")
			return second.SyncBarrier(t.Context())
		}))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second)
		if !isClosed(first.Usurped()) || first.Stats().Compacted != 0 {
			t.Errorf("%+v", first.Stats())
		}
		_ = first.Close() // it says that it is usurped
		mustWork(t, second)
	})
}
