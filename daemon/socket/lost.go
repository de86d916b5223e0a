package socket

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"time"
)

// Made reports whether the socket was made by us, and not by whoever passed it on.
func (l *Listener) Made() bool { return l.made }

// isAt reports whether a file is this listener's socket.
func (l *Listener) isAt(now fs.FileInfo) bool { return l.file != nil && os.SameFile(now, l.file) }

// Lost says why clients do not find this listener at its path, as an [*Error]; nil:
// they do. A listener does not notice when a cleaner removes its file, or when its
// folder is moved: it goes on, and nobody comes.
func (l *Listener) Lost() error {
	now, err := os.Lstat(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Error{Path: l.path, Problem: "the socket is gone"}
	case err != nil:
		return &Error{Path: l.path, Problem: "look at the path", Err: err}
	case l.isAt(now) || !modesHold: // elsewhere a file has no number that is sure to stay
		return nil
	case now.Mode()&fs.ModeSocket == 0:
		return &Error{Path: l.path, Problem: describe(now) + " is in the place of the socket"}
	case l.answersAt(l.path):
		return nil // a file system that numbers files as it likes
	}
	return &Error{Path: l.path, Problem: "another socket is in its place"}
}

// answersAt reports whether who listens at a path is the process that called listen on
// this socket.
func (l *Listener) answersAt(path string) bool {
	nc, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return false
	}
	defer nc.Close()
	raw, err := l.SyscallConn()
	if err != nil {
		return false
	}
	var own Peer
	if err := raw.Control(func(fd uintptr) { own = credentials(int(fd)) }); err != nil {
		return false
	}
	pid := PeerOf(nc).PID
	return pid != 0 && pid == own.PID
}
