//go:build unix

package configfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// syncFolder puts a folder's entries on its disk. Not every file system can.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	_ = f.Sync()
	return f.Close()
}

// keepOwner gives the file at name the owner and the group of another.
func keepOwner(name string, of fs.FileInfo) error {
	want, ok := of.Sys().(*syscall.Stat_t)
	info, err := os.Lstat(name)
	if !ok || err != nil {
		return err
	}
	if has := info.Sys().(*syscall.Stat_t); has.Uid == want.Uid && has.Gid == want.Gid {
		return nil
	}
	return os.Lchown(name, int(want.Uid), int(want.Gid))
}

// lock is held by one who replaces the file, and ends when f is closed.
func lock(f *os.File) error {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == syscall.EWOULDBLOCK {
		return errors.New("another program has locked it")
	}
	return nil // or its file system knows no locks
}

// ownersOf are the numbers of a file's owner and group.
func ownersOf(info fs.FileInfo) (uid, gid uint32, known bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return st.Uid, st.Gid, true
}
