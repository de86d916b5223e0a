//go:build unix

package configfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// dontWait opens a named pipe that nobody writes into.
const dontWait = syscall.O_NONBLOCK

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

// namesOf is how many names a file has, and its number in its file system.
func namesOf(info fs.FileInfo) (names, inode uint64) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink), uint64(st.Ino)
	}
	return 1, 0
}

// mounted reports whether a file cannot be replaced because something is mounted on it, as
// a single file is in a container.
func mounted(err error) bool { return errors.Is(err, syscall.EBUSY) }

// ownersOf are the numbers of a file's owner and group.
func ownersOf(info fs.FileInfo) (uid, gid uint32, known bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return st.Uid, st.Gid, true
}
