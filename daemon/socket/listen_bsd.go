//go:build unix && !linux

package socket

import (
	"net"
	"os"
)

// bind uses the umask of the process: there is no other way on this system.
func bind(path string, mode os.FileMode) (*net.UnixListener, error) {
	return bindUnderUmask(path, mode)
}
