package client

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
)

const (
	folderName = "providerd"
	socketName = "providerd.sock"
)

// SystemSocket is where the daemon of the whole machine listens; empty if that is not
// known.
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

// A place is a path where a daemon might listen.
type place struct {
	path   string
	chosen bool   // by the caller, so that it is used whoever's it is
	name   string // the variable that led here; empty: none
	shared bool   // in a folder that anybody could have made

	service uint32 // the user of the system's service, who wrote that it is here; 0: nobody did
}

// Sockets lists where a daemon is looked for, in order; the first that accepts a connection
// wins. If there is a path in Socket or PROVIDERD_SOCKET, it is the only one. Otherwise it
// is the user's own daemon, then the system's; for root, the system's first. Only the path
// in Socket is used whoever owns it: any other place that another user controls is passed
// over.
func (c *Client) Sockets() []string {
	var paths []string
	for p := range c.places {
		paths = append(paths, p.path)
	}
	return paths
}

// places yields each place once. What is to be read to know one is read when those
// before it would not do.
func (c *Client) places(yield func(place) bool) {
	if c.Socket != "" {
		yield(place{path: c.Socket, chosen: true})
		return
	}
	if path := c.getenv("PROVIDERD_SOCKET"); path != "" {
		yield(place{path: path, name: "PROVIDERD_SOCKET"})
		return
	}
	var known []string
	once := func(p place) bool {
		if p.path == "" || slices.Contains(known, p.path) {
			return true
		}
		known = append(known, p.path)
		return yield(p)
	}
	system := place{path: SystemSocket()}
	_ = (os.Geteuid() != 0 || once(system)) &&
		once(c.runtimePlace()) && once(usualRuntimePlace()) && once(c.temporaryPlace()) && once(c.recordedPlace()) &&
		once(system)
}

// runtimePlace is in the folder for sockets that the environment names.
func (c *Client) runtimePlace() place {
	name := "XDG_RUNTIME_DIR"
	if runtime.GOOS == "windows" {
		name = "LocalAppData"
	}
	dir := c.getenv(name)
	if !filepath.IsAbs(dir) {
		return place{}
	}
	return place{path: filepath.Join(dir, folderName, socketName), name: name}
}

// usualRuntimePlace is in the folder that logind makes for a user (pam_systemd(8)), for
// whom no variable says so.
func usualRuntimePlace() place {
	if runtime.GOOS != "linux" {
		return place{}
	}
	return place{path: filepath.Join(usualRuntimeDir(), folderName, socketName)}
}

func usualRuntimeDir() string { return "/run/user/" + strconv.Itoa(os.Getuid()) }

// temporaryPlace is where a daemon listens that knew no runtime folder, or whose runtime
// folder is gone. Windows, where nothing tells whose a folder is, has none that goes.
func (c *Client) temporaryPlace() place {
	if runtime.GOOS == "windows" && c.runtimePlace().path != "" {
		return place{}
	}
	dir, name := c.temporaryFolder()
	return place{path: filepath.Join(dir, socketName), name: name, shared: true}
}

// temporaryFolder is this user's folder in the temporary one, and the variable that says
// where that is.
func (c *Client) temporaryFolder() (dir, name string) {
	tmp, name := c.getenv("TMPDIR"), "TMPDIR"
	if tmp == "" {
		tmp, name = os.TempDir(), ""
	}
	own := folderName
	if uid := os.Getuid(); uid >= 0 { // −1 on Windows, where the folder is the user's
		own += "-" + strconv.Itoa(uid)
	}
	return filepath.Join(tmp, own), name
}
