//go:build unix

package socket

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/store/trust"
	"github.com/providerd/providerd/store/userns"
)

// modesHold is true: the mode of a socket is enforced here.
const modesHold = true

// bindUnderUmask changes the umask of the whole process during the bind. A file that another
// goroutine creates meanwhile gets fewer permissions than it asked for, never more.
func bindUnderUmask(path string, mode os.FileMode) (*net.UnixListener, error) {
	old := syscall.Umask(int(0o777 &^ mode))
	defer syscall.Umask(old)
	return listenUnix(path)
}

func listenUnix(path string) (*net.UnixListener, error) {
	return net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
}

// folderProblem says why a socket may not be in dir; empty: it may. The rules keep others
// from placing their own socket where clients look for ours.
func folderProblem(dir string) (string, error) {
	info, err := os.Lstat(dir)
	if err != nil {
		return "cannot be checked", err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if filepath.Dir(dir) != "/" { // links of the system, such as /tmp on macOS, are fine
			return "is a symbolic link", nil
		}
		if info, err = os.Stat(dir); err != nil {
			return "leads nowhere", err
		}
	}
	if !info.IsDir() {
		return "is not a folder", nil
	}
	switch {
	case trust.HolderOf(dir, info) == trust.Another:
		return "belongs to " + trust.OwnerOf(info), nil
	case sticky(info):
		return "", nil // others can add files, but not replace ours
	case info.Mode().Perm()&0o002 != 0:
		return fmt.Sprintf("can be written by everybody (mode %04o)", info.Mode().Perm()), nil
	case info.Mode().Perm()&0o020 != 0 && !ourGroup(info):
		return fmt.Sprintf("can be written by group %d (mode %04o)", groupOf(info), info.Mode().Perm()), nil
	}
	return "", nil
}

// sticky reports whether a folder is like /tmp: open to all, but everyone can remove only
// their own files.
func sticky(info fs.FileInfo) bool { return info.Mode()&fs.ModeSticky != 0 }

// ourGroup reports whether the file's group is ours, and does not only look like ours in our
// user namespace.
func ourGroup(info fs.FileInfo) bool {
	gid := groupOf(info)
	return gid == os.Getegid() && userns.KnownGroup(uint32(gid))
}

func groupOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Gid)
	}
	return -1
}

// isListening reports whether f is a listening socket.
func isListening(f *os.File) (bool, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	var listens int
	var asked error
	if err := raw.Control(func(fd uintptr) {
		listens, asked = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	}); err != nil {
		return false, err
	}
	return listens != 0, asked
}
