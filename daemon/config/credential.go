package config

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// isHanded reports whether a file is one that systemd hands to the service.
func isHanded(file string, env Env) bool {
	return file != "" && filepath.Dir(file) == filepath.Clean(env.get("CREDENTIALS_DIRECTORY"))
}

// unloaded is what to look at when a key is where the service's unit has it loaded from,
// and did not arrive. The drop-in that LXC containers have for every service clears
// LoadCredential= (lxc/distrobuilder, zzz-lxc-service.conf), and so may any other.
const unloaded = "check with systemctl cat providerd whether a drop-in clears LoadCredential=, as in LXC containers; then restart the service"

// notLoaded is what to do about a key that systemd should have loaded from a file, which
// root alone can see, so that whoever asks may not be able to tell whether it is there.
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
