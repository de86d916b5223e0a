package config

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// isHanded reports whether systemd passes a file to the service.
func isHanded(file string, env Env) bool {
	return file != "" && filepath.Dir(file) == filepath.Clean(env.get("CREDENTIALS_DIRECTORY"))
}

// unloaded is what to check if a key is where the unit loads it from and did not arrive.
// LXC containers have a drop-in for every service that clears LoadCredential=
// (lxc/distrobuilder, zzz-lxc-service.conf), and any other may too.
const unloaded = "check with systemctl cat providerd whether a drop-in clears LoadCredential=, as in LXC containers; then restart the service"

// notLoaded is what to do about a key that systemd should have loaded from a file. Only
// root can see that file, so it may be impossible to tell whether it is there.
func notLoaded(file string, env Env) string {
	_, _, err := env.readFile(file, maxKeyFile)
	switch {
	case err == nil:
		return "the key is in " + printable(file) + ", but systemd did not pass it on: " + unloaded
	case errors.Is(err, fs.ErrPermission):
		return "write the key into " + printable(file) + " or, if it is there already, " + unloaded
	}
	return "write the key into " + printable(file) + ", then restart the service"
}
