// Package socket makes the control socket, and identifies its peers. The socket is created
// with its mode, in a folder that only the daemon's user and root can change, or is
// inherited from a service manager. The kernel says who connects; package control decides
// what they may do.
//
// It imports the standard library, golang.org/x/sys, daemon/scarce, store/trust and
// store/userns.
package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/providerd/providerd/daemon/scarce"
	"github.com/providerd/providerd/store/trust"
)

// maxSocketPath is the longest path that fits sockaddr_un with its final zero on
// every system (104 bytes on macOS, 108 on Linux).
const maxSocketPath = 103

// A Listener is the control socket. Closing it removes the socket's file, if it
// was made by this listener and is still in place.
type Listener struct {
	*net.UnixListener
	path   string
	made   bool        // by this process, not inherited
	file   fs.FileInfo // of the socket; nil: there was none
	closed atomic.Bool
	queue  queue
}

// Close stops accepting and removes the file: a socket without a listener only misleads.
// It does so once: while it listens no other file can have its inode number, but afterwards
// any can.
func (l *Listener) Close() error {
	if l.closed.Swap(true) {
		return net.ErrClosed
	}
	l.queue.close()
	if now, err := os.Lstat(l.path); err == nil && l.made && l.isAt(now) {
		if err := os.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(l.UnixListener.Close(), err)
		}
	}
	return l.UnixListener.Close()
}

// Path is where clients find the socket.
func (l *Listener) Path() string { return l.path }

// An Error says why there is no control socket at Path.
type Error struct {
	Path    string
	Problem string
	InUse   bool  // another process listens there already
	PID     int   // of that process; 0: unknown
	Err     error // nil if the problem says it all
	hint    string
}

func (e *Error) Error() string {
	s := fmt.Sprintf("control socket %s: %s", e.Path, e.Problem)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Hint is what to do next; it can be empty.
func (e *Error) Hint() string { return e.hint }

// Listen makes the control socket at path with exactly that mode; it never has another. Its
// folder is created if absent, with mode 0755 for a socket that others may use and 0700 for
// one that they may not. Only the daemon's user and root may be able to add files to the
// folder or to replace it. Of the folders above it, those in insecure may be open to
// everybody (see [trust.Insecure]).
//
// A socket with a listener is left alone, as is anything that is not a socket. A socket that
// refuses connections is removed, so call Listen only while holding the lock on the
// database, which keeps two daemons apart. Errors are [*Error].
func Listen(path string, mode os.FileMode, insecure ...string) (*Listener, error) {
	return ListenAnew(path, mode, func(fs.FileInfo) bool { return true }, insecure...)
}

// ListenAnew is [Listen] for a running daemon. Another daemon, with another database, may be
// making its socket at the path at the same time; for a moment that socket refuses
// connections too. stale says whether such a socket may be removed.
func ListenAnew(path string, mode os.FileMode, stale func(fs.FileInfo) bool, insecure ...string) (*Listener, error) {
	if len(path) > maxSocketPath {
		return nil, &Error{
			Path:    path,
			Problem: fmt.Sprintf("the path has %d bytes, but that of a socket can have at most %d", len(path), maxSocketPath),
			hint:    "choose a shorter one: providerd --socket PATH",
		}
	}
	if err := prepareFolder(path, mode, insecure); err != nil {
		return nil, err
	}
	if err := clearStale(path, stale); err != nil {
		return nil, err
	}
	ul, err := bind(path, mode.Perm())
	if err != nil {
		e := &Error{Path: path, Problem: "listen", Err: err}
		if scarce.Is(err) {
			e.hint = scarce.Cure(err)
		}
		return nil, e
	}
	ul.SetUnlinkOnClose(false) // it would remove whatever is at the path by then
	file, err := born(ul, path)
	if err != nil {
		ul.Close()
		var e *Error
		if !errors.As(err, &e) {
			e = &Error{Path: path, Problem: "look at the new socket", Err: err}
		}
		return nil, e
	}
	l := &Listener{UnixListener: ul, path: path, made: true, file: file}
	l.queue.resize = resizer(ul)
	if modesHold && file.Mode().Perm() != mode.Perm() {
		l.Close()
		return nil, &Error{
			Path:    path,
			Problem: fmt.Sprintf("it was born with mode %04o instead of %04o", file.Mode().Perm(), mode.Perm()),
			hint:    "remove the default access list of its folder: setfacl -k " + filepath.Dir(path),
		}
	}
	return l, nil
}

// prepareFolder creates the socket's folder, or checks the existing one.
func prepareFolder(path string, mode os.FileMode, insecure trust.Insecure) error {
	dir := filepath.Dir(path)
	perm := os.FileMode(0o755)
	if mode&0o077 == 0 {
		perm = 0o700
	}
	if err := insecure.MkdirAbove(dir, 0o755); err != nil {
		e := &Error{Path: path, Problem: "create the folder above its folder", Err: err}
		var others *trust.PathError
		if errors.As(err, &others) {
			e.Problem, e.hint = "others can change where its path leads", others.Hint()+": providerd --socket PATH"
		}
		return e
	}
	if err := os.Mkdir(dir, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return &Error{Path: path, Problem: "create its folder", Err: err,
			hint: "run as root, or choose a folder of your own: providerd --socket PATH"}
	}
	if problem, err := folderProblem(dir); problem != "" || err != nil {
		return &Error{Path: path, Problem: "its folder " + dir + " " + problem, Err: err,
			hint: "choose a path in a folder of its own: providerd --socket PATH"}
	}
	return nil
}

// clearStale removes a socket without a listener, and refuses anything else that is in the
// way.
func clearStale(path string, stale func(fs.FileInfo) bool) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return &Error{Path: path, Problem: "check the path", Err: err}
	case info.Mode()&fs.ModeSocket == 0:
		return &Error{Path: path, Problem: describe(info) + " is there already",
			hint: "move it away, or choose another path: providerd --socket PATH"}
	}
	nc, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		defer nc.Close()
		return inUse(path, PeerOf(nc).PID)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return &Error{Path: path, Problem: "a socket is there already, perhaps in use", Err: err,
			hint: "move it away, or choose another path: providerd --socket PATH"}
	}
	if !stale(info) {
		return &Error{Path: path, Problem: "a socket is there that does not listen, or not yet"}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &Error{Path: path, Problem: "remove the socket that a daemon left behind", Err: err}
	}
	return nil
}

func describe(info fs.FileInfo) string {
	switch {
	case info.IsDir():
		return "a folder"
	case info.Mode()&fs.ModeSymlink != 0:
		return "a symbolic link"
	case info.Mode().IsRegular():
		return "a file"
	}
	return "something that is not a socket"
}
