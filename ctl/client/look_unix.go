//go:build unix

package client

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/providerd/providerd/store/trust"
)

// look finds out where the place's path leads and whether others control that. It returns
// the path without links, and the folder of the socket. Nobody else can change anything on
// the way, so the result holds until the path is used.
func (p place) look() (string, folder, error) {
	path, err := p.absolute()
	if err != nil {
		return "", folder{}, err
	}
	path, err = trust.Resolve(path, p.checkOnTheWay)
	if err == nil && p.service != 0 {
		return path, folder{service: p.service}, nil
	}
	if err == nil {
		var f folder
		if f, err = p.folderOf(path); err == nil {
			return path, f, nil
		}
	}
	var part *trust.PathError
	if !errors.As(err, &part) {
		return "", folder{}, p.closedToUs(err)
	}
	_, statErr := os.Stat(p.path)
	if errors.Is(statErr, fs.ErrNotExist) { // nobody has created anything there
		return "", folder{}, statErr
	}
	return "", folder{}, &foreignError{path: p.path, name: p.name, problem: part.Error(), seen: statErr == nil}
}

// closedToUs is err, or that a folder which a variable names, and not one for this very
// user, cannot be looked into: after su it is that of the user before, and whether
// a daemon is in there does not matter.
func (p place) closedToUs(err error) error {
	var where *fs.PathError
	if !errors.Is(err, fs.ErrPermission) || p.name == "" || p.name == "PROVIDERD_SOCKET" || !errors.As(err, &where) {
		return err
	}
	return &foreignError{path: p.path, name: p.name, problem: "you may not look into " + filepath.Dir(where.Path)}
}

// absolute does not clean the path: ".." after a link is for the kernel to follow.
func (p place) absolute() (string, error) {
	if filepath.IsAbs(p.path) {
		return p.path, nil
	}
	dir, err := os.Getwd()
	return dir + "/" + p.path, err
}

// checkOnTheWay refuses folders and links of others. The system's own folder may be of
// any user, as root made it, and of the socket in the end it counts who listens.
func (p place) checkOnTheWay(path string, info fs.FileInfo) error {
	switch {
	case p.isServices(info):
		return nil
	case !info.IsDir() && info.Mode()&fs.ModeSymlink == 0:
		return nil
	case !isSystemFolder(path, info):
		return trust.Check(path, info)
	case info.Mode().Perm()&0o002 != 0:
		return &trust.PathError{Path: path, Problem: fmt.Sprintf("can be written by everybody (mode %04o)", info.Mode().Perm())}
	}
	return nil
}

// folderOf is the folder of the socket at path, which has no links. It must be root's, ours
// or the system's.
func (p place) folderOf(path string) (folder, error) {
	dir := filepath.Dir(path)
	info, err := os.Lstat(dir)
	if err != nil {
		return folder{}, err
	}
	if trust.HolderOf(dir, info) == trust.Another && !isSystemFolder(dir, info) {
		return folder{}, &trust.PathError{Path: dir, Problem: "belongs to " + trust.OwnerOf(info)}
	}
	if named, err := os.Lstat(filepath.Dir(p.path)); p.shared && (err != nil || !named.IsDir()) {
		return folder{}, &trust.PathError{Path: filepath.Dir(p.path), Problem: "is a symbolic link"}
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return folder{}, fmt.Errorf("look at %s: its owner is unknown", dir)
	}
	return folder{owner: st.Uid, closed: info.Mode().Perm()&0o022 == 0}, nil
}

// isSystemFolder reports whether dir, which has no links, is where the system's daemon has
// its socket. Only root can create that folder, because the one above was checked to be
// root's.
func isSystemFolder(dir string, info fs.FileInfo) bool {
	system := filepath.Dir(SystemSocket())
	if filepath.Base(dir) != filepath.Base(system) || !info.IsDir() {
		return false
	}
	above, err := filepath.EvalSymlinks(filepath.Dir(system)) // /var/run is a link on many systems
	if err != nil || above != filepath.Dir(dir) {
		return false
	}
	run, err := os.Lstat(above)
	return err == nil && run.Mode().Perm()&0o002 == 0
}

// believe checks who listens at the other end of a connection, and closes it if that
// listener cannot be trusted.
func (p place) believe(conn conn, f folder) error {
	l := listenerOf(conn)
	if f.vouchesFor(l, uint32(os.Geteuid())) {
		return nil
	}
	conn.Close()
	return &foreignError{path: p.path, name: p.name, problem: l.String() + " listens there", seen: true}
}

func listenerOf(conn conn) listener {
	l := nobodyTold
	if file, ok := conn.(syscall.Conn); ok {
		if raw, err := file.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { l = credentials(int(fd)) }) // after an error it stays unknown
		}
	}
	return l
}
