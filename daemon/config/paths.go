package config

import (
	"cmp"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/providerd/providerd/store/home"
)

// Root and [Env.System] mean the system's paths. Any other user means the user's own paths
// according to the XDG base directory specification. On Windows only System means the
// system's.

// DefaultPath is the path of the configuration if none is given. It is empty if the user has
// no home: then there is no file.
func DefaultPath(env Env) string {
	switch {
	case env.OS == "windows" && env.System:
		return under(env.get("ProgramData"), "providerd", "providerd.toml")
	case env.OS == "windows":
		return under(env.get("AppData"), "providerd", "providerd.toml")
	case env.ForSystem():
		return "/etc/providerd/providerd.toml"
	}
	return under(xdg(env, "XDG_CONFIG_HOME", ".config"), "providerd", "providerd.toml")
}

// DefaultSocket is the path of the socket if neither flag nor file gives one.
func DefaultSocket(env Env) string {
	switch {
	case env.OS == "windows" && env.System:
		if shared := env.get("ProgramData"); shared != "" {
			return filepath.Join(shared, "providerd", "run", "providerd.sock") // a folder that users may enter
		}
	case env.OS == "windows":
		if local := env.get("LocalAppData"); local != "" {
			return filepath.Join(local, "providerd", "providerd.sock")
		}
	case env.ForSystem():
		return filepath.Join(systemRun(env), "providerd", "providerd.sock")
	default:
		if dir := env.get("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
			return filepath.Join(dir, "providerd", "providerd.sock")
		}
	}
	return filepath.Join(tempFolder(env), "providerd.sock")
}

// SpareSocket is where to listen instead of at socket when the folder that
// XDG_RUNTIME_DIR names is gone, as after a logout; empty unless socket is in there by
// default.
func SpareSocket(env Env, socket string) string {
	if env.OS == "windows" || env.ForSystem() || !filepath.IsAbs(env.get("XDG_RUNTIME_DIR")) || socket != DefaultSocket(env) {
		return ""
	}
	return filepath.Join(tempFolder(env), "providerd.sock")
}

// systemRun is the system's folder for sockets; only Linux has /run.
func systemRun(env Env) string {
	if env.OS == "linux" || env.OS == "" {
		return "/run"
	}
	return "/var/run"
}

// DefaultStateDir is the folder of the database if neither flag nor file gives one.
// STATE_DIRECTORY, which systemd sets for a unit with StateDirectory=, is not a default: it
// overrides the file; see [Load].
func DefaultStateDir(env Env) string {
	var dir string
	switch {
	case env.OS == "windows" && env.System:
		dir = under(env.get("ProgramData"), "providerd", "state")
	case env.OS == "windows":
		dir = under(env.get("LocalAppData"), "providerd")
	case env.ForSystem():
		dir = "/var/lib/providerd"
	default:
		dir = under(xdg(env, "XDG_STATE_HOME", ".local/state"), "providerd")
	}
	if dir == "" { // no home: state that a reboot forgets is better than none
		return tempFolder(env)
	}
	return dir
}

// stateDirectory is the first folder of STATE_DIRECTORY, or empty.
// Source: systemd.exec(5), RuntimeDirectory= and its kin.
func stateDirectory(env Env) string {
	first, _, _ := strings.Cut(env.get("STATE_DIRECTORY"), ":")
	if !filepath.IsAbs(first) {
		return ""
	}
	return filepath.Clean(first)
}

// tempFolder is this user's folder in the temporary folder. Callers must check that it is a real
// folder of that user.
func tempFolder(env Env) string {
	if env.UID < 0 {
		return filepath.Join(env.TempDir, "providerd")
	}
	return filepath.Join(env.TempDir, "providerd-"+strconv.Itoa(env.UID))
}

// xdg is the folder that the variable names, or its place in the home folder.
// The specification says to ignore a relative path.
func xdg(env Env, name, fallback string) string {
	if dir := env.get(name); filepath.IsAbs(dir) {
		return dir
	}
	return under(cmp.Or(home.Named(env.get("HOME"), env.UID), env.Home), fallback)
}

// under joins paths; it returns an empty path if the first folder is unknown.
func under(dir string, elem ...string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(append([]string{dir}, elem...)...)
}
