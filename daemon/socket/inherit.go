package socket

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// Inherit makes a listener from a socket that already listens. The socket belongs to the
// process that passed it on: neither its file nor its mode is changed, now or when the
// listener is closed. It must be a Unix stream socket with a path. Inherit always closes f;
// it keeps a duplicate that children do not inherit. Errors are [*Error].
func Inherit(f *os.File) (*Listener, error) {
	defer f.Close()
	refuse := func(problem string, err error) error {
		return &Error{
			Path: f.Name(), Problem: "the inherited socket " + problem, Err: err,
			hint: "write one ListenStream=/run/providerd/providerd.sock in the socket unit, then: systemctl daemon-reload",
		}
	}
	l, err := net.FileListener(f)
	if err != nil {
		return nil, refuse("is not a socket", err)
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
		return nil, refuse("cannot be checked for listening", err)
	case !listens:
		ul.Close()
		return nil, refuse("does not listen", nil)
	case !filepath.IsAbs(path): // unnamed, or in the abstract namespace
		ul.Close()
		return nil, refuse(fmt.Sprintf("has no path for clients to dial (%q)", path), nil)
	}
	file, err := os.Lstat(path)
	if err != nil || file.Mode()&fs.ModeSocket == 0 {
		file = nil // Lost reports it
	}
	return &Listener{UnixListener: ul, path: path, file: file}, nil
}
