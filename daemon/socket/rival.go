package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// Two processes with different databases may make their sockets at one path at the same
// moment. Between bind and listen a socket refuses connections, like one that was left
// behind, so the second process may remove it and put its own there. The first must not
// take that file for its own: it would never notice that it has no clients.

// born looks at the file of a socket that was just made at path. It returns an [*Error] if
// clients reach another process there. The connection that tells ends at once.
func born(ul *net.UnixListener, path string) (fs.FileInfo, error) {
	file, err := os.Lstat(path)
	if err == nil {
		err = reaches(ul, path)
	}
	switch {
	case err == nil:
		return file, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, &Error{Path: path, Problem: "another process made its socket there at the same moment",
			hint: "choose another path for one of them: providerd --socket PATH"}
	}
	return nil, err
}

// reaches returns an error unless a connection to path reaches ul, as far as the system
// says who listens. A queue that is full by now says nothing.
func reaches(ul *net.UnixListener, path string) error {
	nc, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return err
	case err != nil:
		return nil
	}
	defer nc.Close()
	if pid, own := PeerOf(nc).PID, ownPID(ul); pid != own && pid != 0 && own != 0 {
		return inUse(path, pid)
	}
	return nil
}

func inUse(path string, pid int) *Error {
	e := &Error{Path: path, InUse: true, PID: pid, Problem: "in use by another process",
		hint: "stop it first, or choose another path: providerd --socket PATH"}
	if pid != 0 {
		e.Problem = fmt.Sprintf("in use by process %d", pid)
	}
	return e
}
