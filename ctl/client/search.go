package client

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

const (
	folderName = "providerd"
	socketName = "providerd.sock"
)

// SystemSocket is where the daemon of the whole machine listens; empty where
// that cannot be told.
func SystemSocket() string {
	switch runtime.GOOS {
	case "windows":
		if dir := os.Getenv("ProgramData"); filepath.IsAbs(dir) {
			return filepath.Join(dir, folderName, "run", socketName)
		}
		return ""
	case "linux":
		return "/run/providerd/providerd.sock"
	default:
		return "/var/run/providerd/providerd.sock" // only Linux has /run
	}
}

// A place is a path where a daemon may listen.
type place struct {
	path   string
	chosen bool   // by the caller, so that it is used whoever's it is
	name   string // the variable that led here; empty: none
	shared bool   // in a folder that anybody could have made
}

// Sockets lists where a daemon is looked for, in order; the first that accepts
// a connection wins. A path that was given, as Socket or in PROVIDERD_SOCKET,
// stands alone. Otherwise it is the user's own daemon, then the system's; for
// root, the system's first. Of these only the path in Socket is used whoever's it is:
// a place that another user has a say in is passed over.
func (c *Client) Sockets() []string {
	var paths []string
	for _, p := range c.places() {
		paths = append(paths, p.path)
	}
	return paths
}

func (c *Client) places() []place {
	if c.Socket != "" {
		return []place{{path: c.Socket, chosen: true}}
	}
	if path := c.getenv("PROVIDERD_SOCKET"); path != "" {
		return []place{{path: path, name: "PROVIDERD_SOCKET"}}
	}
	own, system := c.userPlace(), place{path: SystemSocket()}
	switch {
	case system.path == "":
		return []place{own}
	case os.Geteuid() == 0:
		return []place{system, own}
	default:
		return []place{own, system}
	}
}

// userPlace is where this user's own daemon listens.
func (c *Client) userPlace() place {
	name := "XDG_RUNTIME_DIR"
	if runtime.GOOS == "windows" {
		name = "LocalAppData"
	}
	if dir := c.getenv(name); filepath.IsAbs(dir) {
		return place{path: filepath.Join(dir, folderName, socketName), name: name}
	}
	tmp, name := c.getenv("TMPDIR"), "TMPDIR"
	if tmp == "" {
		tmp, name = os.TempDir(), ""
	}
	own := folderName
	if uid := os.Getuid(); uid >= 0 { // −1 on Windows, where the folder is the user's
		own += "-" + strconv.Itoa(uid)
	}
	return place{path: filepath.Join(tmp, own, socketName), name: name, shared: true}
}
