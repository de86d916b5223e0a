//go:build linux || darwin

package store_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/providerd/providerd/store"
)

// Without disk space for the copy the daemon still does everything else.
func TestBackup_FullDisk(t *testing.T) {
	if !inChild(t) {
		return
	}
	t.Run("SaysSoAndLeavesNothingBehind", func(t *testing.T) {
		path := newPath(t)
		s := withEvents(t, path, store.Options{}, 4)
		allow := refuseWrites(t)
		b, err := s.Backup()
		if err == nil {
			b.Close()
			t.Fatal("it was copied")
		}
		var refused *store.OpenError
		if !errors.As(err, &refused) || refused.Hint() == "" || !errors.Is(err, syscall.EFBIG) {
			t.Errorf("got %T: %v", err, err)
		}
		mustBeAlone(t, path)
		allow()
		mustBeSound(t, backUp(t, s))
		mustWork(t, s)
	})
}

// A damaged database is not handed out as a backup.
func TestBackup_OfADamagedFile(t *testing.T) {
	good := newPath(t)
	withEvents(t, good, store.Options{}, 400).Close()
	path := copyOf(t, good)
	s, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() // its error is of no interest here
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	garbage := []byte(strings.Repeat("garbage ", os.Getpagesize()))
	if _, err := file.WriteAt(garbage, int64(2*os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	b, err := s.Backup()
	if err == nil {
		b.Close()
		t.Fatal("it was copied")
	}
	var refused *store.OpenError
	if !errors.As(err, &refused) || !strings.Contains(refused.Hint(), "try again") {
		t.Errorf("got %T: %v", err, err)
	}
	if _, err := os.Lstat(path + ".backup"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is left behind: %v", err)
	}
	if err := s.SyncBarrier(t.Context()); err != nil { // it is written anew
		t.Fatal(err)
	}
	if events := mustEvents(t, open(t, backUp(t, s), store.Options{}), 0, 0); len(events) != 400 {
		t.Errorf("%d events of 400", len(events))
	}
}
