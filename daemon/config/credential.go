package config

import (
	"cmp"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// isHanded reports whether systemd passes the file to the service.
func isHanded(file string, env Env) bool {
	return file != "" && filepath.Dir(file) == filepath.Clean(env.get("CREDENTIALS_DIRECTORY"))
}

// unloaded is what to check if a key is where the unit loads it from but did not arrive.
// LXC containers have a drop-in for every service that clears LoadCredential=
// (lxc/distrobuilder, zzz-lxc-service.conf), and other drop-ins may too.
func unloaded(env Env) string {
	return "restart the service, which reads it when it starts: " + restartLine(env) +
		". If that does not help, check with systemctl cat providerd whether a drop-in clears LoadCredential=, as in LXC containers"
}

// restartLine is the command after which a key from systemd arrives.
func restartLine(env Env) string {
	if env.ForSystem() {
		return "sudo systemctl " + restartProviderd
	}
	return "systemctl --user " + restartProviderd
}

const restartProviderd = "restart providerd"

// notLoaded is what to do about a key that systemd should have loaded from a file. Only root
// can see that file, so its presence may be unknown.
func notLoaded(file string, env Env) string {
	_, _, err := env.readFile(file, maxKeyFile)
	switch {
	case err == nil:
		return "the key is in " + printable(file) + ", but systemd did not pass it on: " + unloaded(env)
	case errors.Is(err, fs.ErrPermission):
		return "write the key into " + printable(file) + " or, if it is there already, " + unloaded(env)
	}
	return "write the key into " + printable(file) + ", then restart the service: " + restartLine(env)
}

// adviseService says how the system service gets a key that it lacks. systemd passes keys on
// at the start, so a reload does not find a new one.
func (r *reading) adviseService(p *Provider, kind *Kind, named string) {
	if !kind.takesKey() || !p.Key.IsZero() || p.KeyFault != "" || !r.env.ForSystem() || !filepath.IsAbs(r.env.get("CREDENTIALS_DIRECTORY")) {
		return
	}
	own := strings.ReplaceAll(p.ID, ":", "-")
	text := "write the key into " + credentials + "/" + own + ", give " + p.ID + " api_key_file = \"" + loadedKey + own + "\" in " +
		printable(cmp.Or(r.path, DefaultPath(r.env))) + ", then: " + restartLine(r.env)
	if named != "" {
		text = "set " + named + " in /etc/providerd/environment, then: " + restartLine(r.env)
	}
	if kind.KeyNeeded {
		p.advise(text, provider.NoCredentials)
	} else if p.Hints[provider.Unauthorized] == "" {
		p.advise("the key is missing: "+text, provider.Unauthorized)
	}
}
