//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// mapSize is the address space that bbolt maps at once, so that no commit waits for
// readers in order to map more. The file itself stays small.
const mapSize = 64 << 20

// ownerLocked: the owner file is locked for as long as the database is open.
const ownerLocked = true

// replacesOpen: a file can be renamed over another one that is open.
const replacesOpen = true

// keepOwner gives a new file the mode and owner of another file.
func keepOwner(made, old *os.File) error {
	var is, was syscall.Stat_t
	if err := errors.Join(syscall.Fstat(int(made.Fd()), &is), syscall.Fstat(int(old.Fd()), &was)); err != nil {
		return err
	}
	if is.Uid != was.Uid || is.Gid != was.Gid {
		if err := made.Chown(int(was.Uid), int(was.Gid)); err != nil {
			return fmt.Errorf("give it the owner of the old one: %w", err)
		}
	}
	return made.Chmod(os.FileMode(was.Mode & 0o777))
}

// lockFile takes the same lock as bbolt. It belongs to the open file, so that bbolt,
// given f, can take it again.
func lockFile(f *os.File, deadline time.Time) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EINTR):
			continue
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return fmt.Errorf("flock %s: %w", f.Name(), err)
		case !time.Now().Before(deadline):
			return errLocked
		}
		time.Sleep(20 * time.Millisecond) // flock has no timeout
	}
}

// unlockFile releases the lock at once. Closing the file is not enough while bbolt has it
// mapped, which after a panic is until the process ends.
func unlockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }

// fileNumber identifies a file on its disk, also against a copy that replaced it; 0 if
// the system cannot tell.
func fileNumber(f *os.File) uint64 {
	var st syscall.Stat_t
	if syscall.Fstat(int(f.Fd()), &st) != nil {
		return 0
	}
	return uint64(st.Ino)<<1 ^ bornAt(f)
}

// syncFolder makes a rename in the folder survive a power cut.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil // not supported by this file system
	}
	return err
}
