//go:build linux || darwin

package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// inChild runs the calling test again in a new process, and reports whether it is in that
// process: go test writes files too, in the process that it started.
func inChild(t *testing.T) bool {
	t.Helper()
	const mark = "STORE_TEST_REFUSES_WRITES"
	if os.Getenv(mark) != "" {
		return true
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), mark+"=1")
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()+"/") {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// refuseWrites makes every write to a file fail, as on a full disk, until the returned
// function is called. It affects the whole process, so tests that use it do not run in
// parallel.
func refuseWrites(t *testing.T) (allow func()) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Skip(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 0, Max: old.Max}); err != nil {
		t.Skip(err)
	}
	allow = func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(allow)
	return allow
}

func TestStore_FailingCommit(t *testing.T) {
	if !inChild(t) {
		return
	}
	t.Run("LosesNothingShowsNothingAndRecovers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			path := newPath(t)
			s := configured(t, path, store.Options{Log: hclog.New(&hclog.LoggerOptions{Output: &log})}, "a", "b")
			s.Put(change("a", provider.StateRunning, "before"))
			synctest.Wait()

			allow := refuseWrites(t)
			s.Put(change("a", provider.StateError, "while 1"))
			synctest.Wait()
			s.Put(change("a", provider.StateError, "while 2"))
			s.Put(result("a", provider.StateError, "while 3"))
			s.Put(result("b", provider.StateRunning, "unchanged"))
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if v := s.View(); v.Seq() != 1 || v.Row("a").Status.Detail != "before" {
				t.Errorf("shown though not on the disk: seq %d, %q", v.Seq(), v.Row("a").Status.Detail)
			}
			if got := s.View().Row("b").Status.Detail; got != "unchanged" {
				t.Errorf("an unchanged result waits for the disk: %q", got)
			}
			stats := s.Stats()
			if stats.CommitsFailed < 8 || stats.CommitsFailed > 12 || stats.LastError == "" || stats.Waiting != 2 {
				t.Errorf("after 10 s: %+v", stats)
			}

			allow()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if stats := s.Stats(); stats.LastError != "" || stats.Waiting != 0 {
				t.Errorf("recovered: %+v", stats)
			}
			var said []string
			for _, e := range mustEvents(t, s, 0, 0) {
				said = append(said, fmt.Sprint(e.Seq, " ", e.Detail))
			}
			if got := strings.Join(said, ", "); got != "1 before, 2 while 1, 3 while 2" {
				t.Errorf("events: %s", got)
			}
			if got := s.View().Row("a").Status.Detail; got != "while 3" {
				t.Errorf("the last row is %q", got)
			}
			if n := strings.Count(log.String(), "[ERROR]"); n != 1 {
				t.Errorf("one failure was logged %d times:\n%s", n, &log)
			}
		})
	})
	t.Run("ConfigureMeanwhileDropsTheRowNotWhatHappened", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			s := configured(t, path, store.Options{}, "a", "b")
			synctest.Wait()
			allow := refuseWrites(t)
			s.Put(change("a", provider.StateError, "a"))
			s.Put(change("b", provider.StateError, "b"))
			synctest.Wait()
			s.Configure([]string{"b"}, nil)
			time.Sleep(3 * time.Second)
			allow()
			s = reopen(t, s, path, store.Options{})
			if events := mustEvents(t, s, 0, 0); len(events) != 2 || events[0].ID != "a" || events[1].ID != "b" || events[1].Seq != 2 {
				t.Errorf("events: %v", events)
			}
			if rows := s.Restored(); len(rows) != 1 || rows["b"].Detail != "b" {
				t.Errorf("rows: %v", rows)
			}
		})
	})
	t.Run("WhatWaitsIsBoundedByRetention", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := configured(t, newPath(t), store.Options{KeepEvents: 10}, "a")
			s.Put(change("a", provider.StateRunning, "1"))
			synctest.Wait()
			allow := refuseWrites(t)
			for i := range 100 {
				s.Put(change("a", provider.StateError, fmt.Sprint(i+2)))
				if i%30 == 0 {
					synctest.Wait()
				}
			}
			if got := s.Stats().Waiting; got > 20 {
				t.Errorf("%d events wait", got)
			}
			allow()
			time.Sleep(3 * time.Second)
			synctest.Wait()
			events := mustEvents(t, s, 0, 0)
			if len(events) != 10 || events[0].Seq != 92 || events[0].Detail != "92" || events[9].Seq != 101 {
				t.Errorf("kept: %v", events)
			}
		})
	})
	t.Run("CloseSaysWhatItCouldNotSave", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			s, err := store.Open(path, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			s.Configure([]string{"a"}, nil)
			synctest.Wait()
			allow := refuseWrites(t)
			s.Put(change("a", provider.StateError, ""))
			err = s.Close()
			allow()
			if err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("close says %v", err)
			}
			mustBeSound(t, path)
		})
	})
	t.Run("IsTheErrorOfASyncBarrierAndNotAHang", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := configured(t, newPath(t), store.Options{}, "a")
			synctest.Wait()
			allow := refuseWrites(t)
			for range 3 {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				err := s.SyncBarrier(ctx)
				if err == nil || ctx.Err() != nil || s.Stats().LastError != err.Error() {
					t.Errorf("got %v, and the stats say %q", err, s.Stats().LastError)
				}
				cancel()
			}
			failed := s.Stats().CommitsFailed
			time.Sleep(time.Minute)
			if got := s.Stats().CommitsFailed; got != failed {
				t.Errorf("nobody waits, and it was tried %d times", got-failed)
			}
			allow()
			if err := s.SyncBarrier(t.Context()); err != nil || s.Stats().LastError != "" {
				t.Errorf("got %v, and the stats say %q", err, s.Stats().LastError)
			}
		})
	})
	t.Run("DoesNotKeepTheDaemonFromStarting", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			withEvents(t, path, store.Options{}, 3).Close()
			allow := refuseWrites(t)
			s := open(t, path, store.Options{})
			if s.View().Seq() != 3 || s.Stats().LastError == "" {
				t.Errorf("seq %d, error %q", s.View().Seq(), s.Stats().LastError)
			}
			allow()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if got := s.Stats().LastError; got != "" {
				t.Errorf("it does not recover: %s", got)
			}
		})
	})
	t.Run("CreationLeavesNothingBehind", func(t *testing.T) {
		path := newPath(t)
		allow := refuseWrites(t)
		_, err := store.Open(path, store.Options{})
		allow()
		if err == nil {
			t.Fatal("it opened")
		}
		for _, name := range []string{path, path + ".new"} {
			if _, err := os.Stat(name); !os.IsNotExist(err) {
				t.Errorf("%s is left: %v", name, err)
			}
		}
		open(t, path, store.Options{})
	})
}

// If the disk is full when the database has to be migrated, the daemon says so and nothing
// changes.
func TestMigrate_OnAFullDisk(t *testing.T) {
	if !inChild(t) {
		return
	}
	t.Run("ChangesNothing", func(t *testing.T) {
		path := newPath(t)
		old, err := bolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = old.Update(func(tx *bolt.Tx) error {
			meta, err := tx.CreateBucket([]byte("meta"))
			return errors.Join(err, meta.Put([]byte("schema"), []byte("1")), meta.Put([]byte("generation"), []byte("7")),
				second(tx.CreateBucket([]byte("rows"))), second(tx.CreateBucket([]byte("events"))))
		})
		if err := errors.Join(err, old.Close()); err != nil {
			t.Fatal(err)
		}
		before := mustRead(t, path)
		allow := refuseWrites(t)
		mustRefuse[*store.OpenError](t, path, "migrate the database", "start again")
		allow()
		if !bytes.Equal(before, mustRead(t, path)) {
			t.Error("the old file was changed")
		}
		if left, _ := filepath.Glob(path + "?*"); len(left) != 1 {
			t.Errorf("left behind: %v", left)
		}
		if n := open(t, path, store.Options{}).NextGeneration(); n <= 7 {
			t.Errorf("generation %d", n)
		}
	})
}

func second(_ *bolt.Bucket, err error) error { return err }
