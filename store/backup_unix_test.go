//go:build linux || darwin

package store_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/providerd/providerd/store"
)

// A disk without space for the copy keeps the daemon from nothing else.
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
