// Package socket makes the control socket, and knows who is at its other end. The
// socket is made with its mode, in a folder that nobody but us and root can change, or
// is taken over from a service manager. Who connects is what the kernel says of the
// connection; what they may do is for daemon/control to say.
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
// is still this listener's and was made by it.
type Listener struct {
	*net.UnixListener
	path   string
	made   bool        // by us, and not inherited
	file   fs.FileInfo // of the socket; nil: there was none
	closed atomic.Bool
	queue  queue
}

// Close stops accepting and removes the file: a socket that nobody listens on
// only misleads. It does so once: while it listens no other file can have its
// inode number, afterwards any may.
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
	PID     int   // which; 0: not known
	Err     error // nil when the problem says all
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

// Hint is what to do next; it may be empty.
func (e *Error) Hint() string { return e.hint }

// Listen makes the control socket at path with exactly that mode: there is no
// moment at which it has another. Its folder is created when absent, 0755 for a
// socket that others may use and 0700 for one that they may not, and must be one
// in which nobody but us and root can put things, and that nobody but us and
// root can put another in place of; of the folders above it, those named as insecure
// may be open to everybody (see [trust.Insecure]).
//
// A socket that somebody listens on is left alone, as is anything that is not a
// socket. One that refuses connections is removed, so call Listen only when
// whatever else keeps two daemons apart, the lock on the database, is held.
// Errors are [*Error].
func Listen(path string, mode os.FileMode, insecure ...string) (*Listener, error) {
	return ListenAnew(path, mode, func(fs.FileInfo) bool { return true }, insecure...)
}

// ListenAnew is [Listen] for a daemon that runs, while another one, with another
// database, may be making its socket at the path: for a moment that refuses connections
// too. stale says whether one that does so may be removed.
func ListenAnew(path string, mode os.FileMode, stale func(fs.FileInfo) bool, insecure ...string) (*Listener, error) {
	if len(path) > maxSocketPath {
		return nil, &Error{
			Path:    path,
			Problem: fmt.Sprintf("the path has %d bytes and a socket's may have %d", len(path), maxSocketPath),
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
	born, err := os.Lstat(path)
	if err != nil {
		ul.Close()
		return nil, &Error{Path: path, Problem: "look at the new socket", Err: err}
	}
	l := &Listener{UnixListener: ul, path: path, made: true, file: born}
	l.queue.resize = resizer(ul)
	if modesHold && born.Mode().Perm() != mode.Perm() {
		l.Close()
		return nil, &Error{
			Path:    path,
			Problem: fmt.Sprintf("it was born with mode %04o instead of %04o", born.Mode().Perm(), mode.Perm()),
			hint:    "remove the default access list of its folder: setfacl -k " + filepath.Dir(path),
		}
	}
	return l, nil
}

// prepareFolder creates the socket's folder or checks the one that is there.
func prepareFolder(path string, mode os.FileMode, insecure trust.Insecure) error {
	dir := filepath.Dir(path)
	perm := os.FileMode(0o755)
	if mode&0o077 == 0 {
		perm = 0o700
	}
	if err := insecure.MkdirAbove(dir, 0o755); err != nil {
		e := &Error{Path: path, Problem: "create the folder above its own", Err: err}
		var others *trust.PathError
		if errors.As(err, &others) {
			e.Problem, e.hint = "others can change where it leads", others.Hint()+": providerd --socket PATH"
		}
		return e
	}
	if err := os.Mkdir(dir, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return &Error{Path: path, Problem: "create its folder", Err: err,
			hint: "run as root, or choose a folder of your own: providerd --socket PATH"}
	}
	if problem, err := folderProblem(dir); problem != "" || err != nil {
		return &Error{Path: path, Problem: "its folder " + dir + " " + problem, Err: err,
			hint: "put the socket into a folder of its own: providerd --socket PATH"}
	}
	return nil
}

// clearStale removes a socket that nobody listens on, and refuses everything
// else that is in the way.
func clearStale(path string, stale func(fs.FileInfo) bool) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return &Error{Path: path, Problem: "look at the path", Err: err}
	case info.Mode()&fs.ModeSocket == 0:
		return &Error{Path: path, Problem: describe(info) + " is there already",
			hint: "move it away, or choose another path: providerd --socket PATH"}
	}
	nc, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		defer nc.Close()
		e := &Error{Path: path, InUse: true, PID: PeerOf(nc).PID, Problem: "in use by another process",
			hint: "stop it first, or choose another path: providerd --socket PATH"}
		if e.PID != 0 {
			e.Problem = fmt.Sprintf("in use by process %d", e.PID)
		}
		return e
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return &Error{Path: path, Problem: "a socket is there already, and whether it is in use cannot be told", Err: err,
			hint: "move it away, or choose another path: providerd --socket PATH"}
	}
	if !stale(info) {
		return &Error{Path: path, Problem: "a socket is there that nobody listens on, or not yet"}
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
