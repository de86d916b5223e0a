package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

func TestStore_SyncBarrier(t *testing.T) {
	t.Run("IsOnTheDiskAndTouchesNothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			s := configured(t, path, store.Options{}, "a")
			s.Put(change("a", provider.StateRunning, "x"))
			synctest.Wait()
			s.Put(result("a", provider.StateRunning, "not for the disk yet"))
			time.Sleep(2 * time.Minute) // unchanged rows may go along with the next commit
			before, row, next := s.Stats(), s.View().Row("a"), s.NextEvents()
			generation := s.Generation()
			file := mustRead(t, path)
			if err := s.SyncBarrier(t.Context()); err != nil {
				t.Fatal(err)
			}
			after := s.Stats()
			if after.Commits != before.Commits+1 || after.Events != before.Events {
				t.Errorf("from %+v to %+v", before, after)
			}
			if bytes.Equal(mustRead(t, path), file) {
				t.Error("nothing was written")
			}
			if s.View().Row("a") != row || s.Generation() != generation || s.View().Seq() != 1 {
				t.Error("a row, the generation or an event is another")
			}
			select {
			case <-next:
				t.Error("whoever waits for events was woken")
			default:
			}
			if err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
			crashed := open(t, copyOf(t, path), store.Options{})
			if got := crashed.Restored()["a"].Detail; got != "x" || crashed.View().Seq() != 1 {
				t.Errorf("on the disk: row %q, seq %d", got, crashed.View().Seq())
			}
		})
	})
	t.Run("RespectsItsContextWhenTheDiskHangs", func(t *testing.T) {
		s := configured(t, newPath(t), store.Options{}, "a") // no bubble: the committer waits for a mutex
		if err := s.SyncBarrier(t.Context()); err != nil {
			t.Fatal(err)
		}
		before, release := s.Stats().Commits, store.HangDisk(s)
		for range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if err := s.SyncBarrier(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			cancel()
		}
		release()
		if err := s.SyncBarrier(t.Context()); err != nil {
			t.Errorf("when it is over: %v", err)
		}
		if got := s.Stats().Commits - before; got > 2 { // the one that hung, and the one that the rest share
			t.Errorf("%d commits", got)
		}
	})
	t.Run("OfAClosedStore", func(t *testing.T) {
		s := configured(t, newPath(t), store.Options{}, "a")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.SyncBarrier(t.Context()); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
