package socket

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// Inherit makes a listener of a socket that listens already, and that belongs to
// whoever passed it on: neither its file nor its mode is touched, now or when the
// listener is closed. It must be a Unix stream socket that has a path. Either way
// f is closed, which leaves a duplicate that children do not inherit. Errors are
// [*Error].
func Inherit(f *os.File) (*Listener, error) {
	defer f.Close()
	refuse := func(problem string, err error) error {
		return &Error{
			Path: f.Name(), Problem: "it was passed on, and " + problem, Err: err,
			hint: "write one ListenStream=/run/providerd/providerd.sock in the socket unit, then: systemctl daemon-reload",
		}
	}
	l, err := net.FileListener(f)
	if err != nil {
		return nil, refuse("is not a socket that listens", err)
	}
	ul, ok := l.(*net.UnixListener)
	if !ok {
		l.Close()
		return nil, refuse(fmt.Sprintf("listens on %s %s instead of a Unix socket", l.Addr().Network(), l.Addr()), nil)
	}
	ul.SetUnlinkOnClose(false)
	path := ul.Addr().String()
	switch listens, err := isListening(f); {
	case err != nil:
		ul.Close()
		return nil, refuse("whether it listens cannot be told", err)
	case !listens:
		ul.Close()
		return nil, refuse("does not listen", nil)
	case !filepath.IsAbs(path): // one without a name, or of the abstract namespace
		ul.Close()
		return nil, refuse(fmt.Sprintf("has no path that a client could dial (%q)", path), nil)
	}
	file, err := os.Lstat(path)
	if err != nil || file.Mode()&fs.ModeSocket == 0 {
		file = nil // Lost tells
	}
	return &Listener{UnixListener: ul, path: path, file: file}, nil
}
