package socket

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"time"
)

// Made reports whether this process made the socket, rather than inherited it.
func (l *Listener) Made() bool { return l.made }

// isAt reports whether a file is this listener's socket.
func (l *Listener) isAt(now fs.FileInfo) bool { return l.file != nil && os.SameFile(now, l.file) }

// Lost says why clients cannot find this listener at its path, as an [*Error]; nil: they
// can. A listener does not notice when a cleaner removes its file or its folder is moved: it
// continues to listen, but no client comes.
func (l *Listener) Lost() error {
	now, err := os.Lstat(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Error{Path: l.path, Problem: "the socket is gone"}
	case err != nil:
		return &Error{Path: l.path, Problem: "check the path", Err: err}
	case l.isAt(now) || !modesHold: // on other systems the number of a file may change
		return nil
	case now.Mode()&fs.ModeSocket == 0:
		return &Error{Path: l.path, Problem: describe(now) + " is in the place of the socket"}
	case l.answersAt(l.path):
		return nil // this file system does not keep the numbers of files
	}
	return &Error{Path: l.path, Problem: "another socket is in its place"}
}

// answersAt reports whether the listener at a path is the process that called listen on this
// socket.
func (l *Listener) answersAt(path string) bool {
	nc, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return false
	}
	defer nc.Close()
	pid := PeerOf(nc).PID
	return pid != 0 && pid == ownPID(l.UnixListener)
}

// ownPID is the process that called listen on a socket; 0: not known.
func ownPID(ul *net.UnixListener) int {
	raw, err := ul.SyscallConn()
	if err != nil {
		return 0
	}
	var own Peer
	if err := raw.Control(func(fd uintptr) { own = credentials(int(fd)) }); err != nil {
		return 0
	}
	return own.PID
}
