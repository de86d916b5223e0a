package daemon

import (
	"io/fs"
	"os"
	"os/user"
	"strconv"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/store/userns"
)

// socketMode makes a system daemon's socket open to every user of the machine, and a
// personal daemon's to its user alone.
func (d *Daemon) socketMode() fs.FileMode {
	if d.opts.Env.ForSystem() {
		return 0o666
	}
	return 0o600
}

// defaultAdmins is the group that administers the system daemon, if it exists.
const defaultAdmins = "providerd"

// adminGroup looks up who may change the daemon, beside root and its own user: a
// group by name or number. One that does not exist has no members, which is no
// reason not to start; it is worth a word if somebody named it.
func (d *Daemon) adminGroup(cfg *config.Config) *control.Group {
	name, level := cfg.Daemon.AdminGroup, hclog.Warn
	if name == "" {
		if !d.opts.Env.ForSystem() {
			return nil
		}
		name, level = defaultAdmins, hclog.Debug
	}
	number := name
	if g, err := user.LookupGroup(name); err == nil {
		number = g.Gid
	}
	gid, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		d.log.Log(level, "the admin group does not exist", "group", name)
		return nil
	}
	if !userns.KnownGroup(uint32(gid)) {
		d.log.Warn("the admin group id is shared with other user namespaces, so nobody counts as a member: use another group",
			"group", name, "gid", gid)
		return nil
	}
	return &control.Group{Name: name, GID: uint32(gid)}
}

// warnOfNamespace says that the daemon cannot tell its own user from those of other
// namespaces, as in a container where it runs as nobody.
func (d *Daemon) warnOfNamespace() {
	if uid := os.Geteuid(); uid >= 0 && !userns.KnownUser(uint32(uid)) {
		d.log.Warn("the daemon user id is shared with other user namespaces, so only root and the admin group may change the daemon: run it as another user",
			"uid", uid)
	}
}

// warnOfInsecure says at each start what somebody has allowed.
func (d *Daemon) warnOfInsecure() {
	for _, path := range d.insecure {
		d.log.Warn("insecure_folders: any user who can write in this folder can take away the database or the socket", "path", path)
	}
}
