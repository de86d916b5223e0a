//go:build unix && !linux

package socket

import (
	"net"
	"os"
)

// bind uses the process's umask: there is no other way here.
func bind(path string, mode os.FileMode) (*net.UnixListener, error) {
	return bindUnderUmask(path, mode)
}
