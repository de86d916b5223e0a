package client

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

const (
	folder     = "providerd"
	socketName = "providerd.sock"
)

// SystemSocket is where the daemon of the whole machine listens; empty where
// that cannot be told.
func SystemSocket() string {
	switch runtime.GOOS {
	case "windows":
		if dir := os.Getenv("ProgramData"); filepath.IsAbs(dir) {
			return filepath.Join(dir, folder, "run", socketName)
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
	shared bool // in a folder that anybody could have made
}

// Sockets lists where a daemon is looked for, in order; the first that accepts
// a connection wins. A path that was given, as Socket or in PROVIDERD_SOCKET,
// stands alone. Otherwise it is the user's own daemon, then the system's; for
// root, the system's first.
func (c *Client) Sockets() []string {
	var paths []string
	for _, p := range c.places() {
		paths = append(paths, p.path)
	}
	return paths
}

func (c *Client) places() []place {
	if c.Socket != "" {
		return []place{{path: c.Socket}}
	}
	if path := c.getenv("PROVIDERD_SOCKET"); path != "" {
		return []place{{path: path}}
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
		return place{path: filepath.Join(dir, folder, socketName)}
	}
	tmp := c.getenv("TMPDIR")
	if tmp == "" {
		tmp = os.TempDir()
	}
	own := folder
	if uid := os.Getuid(); uid >= 0 { // −1 on Windows, where the folder is the user's
		own += "-" + strconv.Itoa(uid)
	}
	return place{path: filepath.Join(tmp, own, socketName), shared: true}
}

// trusted reports whether nobody but this user can have put a socket at the
// place. The temporary folder belongs to everybody, so a folder there counts
// only when it is real, ours, and closed to others' writing.
func (p place) trusted() bool {
	if !p.shared {
		return true
	}
	info, err := os.Lstat(filepath.Dir(p.path))
	return err == nil && info.Mode().Type() == fs.ModeDir && oursAlone(info)
}
