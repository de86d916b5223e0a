package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/trust"
)

// A user's runtime folder is removed at the last logout. A daemon that nohup, tmux or cron
// started is still running then. It continues in the temporary folder, where clients look
// too, and which it records beside its database.

// notAnothers adds to the error of a socket that cannot be made in the runtime folder that the
// folder may be another user's: su keeps the variable.
func (d *Daemon) notAnothers(err error) error {
	if errors.Is(err, fs.ErrPermission) && config.SpareSocket(d.opts.Env, d.socketPath()) != "" {
		return provider.WithHint(err.Error(), "if XDG_RUNTIME_DIR names another user's folder, as after su: unset XDG_RUNTIME_DIR; else: providerd --socket PATH")
	}
	return err
}

// socketPath is where clients find the daemon.
func (d *Daemon) socketPath() string { return *d.socket.Load() }

// spareSocket is where to listen if the runtime folder for the socket is gone and cannot be
// created; otherwise empty.
func (d *Daemon) spareSocket() string {
	path := d.socketPath()
	spare := config.SpareSocket(d.opts.Env, path)
	runtime := filepath.Dir(filepath.Dir(path))
	if spare == "" || isThere(runtime) {
		return ""
	}
	if trust.MkdirAll(runtime, 0o700) == nil || isThere(runtime) {
		return ""
	}
	return spare
}

// firstSocket is where to listen if the place in the temporary folder is lost too, as to
// another user who is faster: the runtime folder may be back, as after a login. It is empty
// unless the daemon has moved.
func (d *Daemon) firstSocket() string {
	first := d.config.Load().Daemon.Socket
	if path := d.socketPath(); path == first || path != config.SpareSocket(d.opts.Env, first) {
		return ""
	}
	return first
}

// moveBackTo makes clients find the daemon in the runtime folder again.
func (d *Daemon) moveBackTo(path string) {
	d.log.Warn("the place in the temporary folder is lost: listening in the runtime folder again", "lost", d.socketPath(), "socket", path)
	d.socket.Store(&path)
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// moveTo makes clients find the daemon at another path.
func (d *Daemon) moveTo(path string) {
	gone, uid := filepath.Dir(filepath.Dir(d.socketPath())), os.Getuid()
	fix := "create it, or unset XDG_RUNTIME_DIR"
	if gone == fmt.Sprintf("/run/user/%d", uid) {
		fix = fmt.Sprintf("to keep it after a logout: sudo loginctl enable-linger %d", uid)
	}
	d.socket.Store(&path)
	d.log.Warn("the folder that XDG_RUNTIME_DIR names is gone: listening in the temporary folder", "gone", gone, "socket", path, "fix", fix)
}
