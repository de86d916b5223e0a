//go:build !unix

package socket

import (
	"net"
	"os"
)

// modesHold is false: a socket has no mode here, and its folder's permissions decide.
const modesHold = false

func bind(path string, _ os.FileMode) (*net.UnixListener, error) {
	return net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
}

// folderProblem trusts the folder: a mode does not show its permissions here.
func folderProblem(string) (string, error) { return "", nil }

// isListening is always true: no service manager passes sockets on here.
func isListening(*os.File) (bool, error) { return true, nil }
