package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
)

func TestDefaultPaths(t *testing.T) {
	user := map[string]string{"HOME": "/home/ada"}
	for _, c := range []struct {
		name                string
		os                  string
		uid                 int
		vars                map[string]string
		path, socket, state string
	}{
		{"Root", "linux", 0, user, "/etc/providerd/providerd.toml", "/run/providerd/providerd.sock", "/var/lib/providerd"},
		{"RootIgnoresXDG", "linux", 0, map[string]string{"XDG_CONFIG_HOME": "/c", "XDG_RUNTIME_DIR": "/r", "XDG_STATE_HOME": "/s"},
			"/etc/providerd/providerd.toml", "/run/providerd/providerd.sock", "/var/lib/providerd"},
		{"RootWithoutRun", "darwin", 0, user, "/etc/providerd/providerd.toml", "/var/run/providerd/providerd.sock", "/var/lib/providerd"},
		{"User", "linux", 1000, user,
			"/home/ada/.config/providerd/providerd.toml", "/tmp/providerd-1000/providerd.sock", "/home/ada/.local/state/providerd"},
		{"UserWithXDG", "linux", 1000, map[string]string{"HOME": "/home/ada", "XDG_CONFIG_HOME": "/c", "XDG_RUNTIME_DIR": "/r", "XDG_STATE_HOME": "/s"},
			"/c/providerd/providerd.toml", "/r/providerd/providerd.sock", "/s/providerd"},
		{"RelativeXDGDoesNotCount", "linux", 1000, map[string]string{"HOME": "/home/ada", "XDG_CONFIG_HOME": "c", "XDG_RUNTIME_DIR": "./r", "XDG_STATE_HOME": "s"},
			"/home/ada/.config/providerd/providerd.toml", "/tmp/providerd-1000/providerd.sock", "/home/ada/.local/state/providerd"},
		{"NoHome", "linux", 1000, map[string]string{}, "", "/tmp/providerd-1000/providerd.sock", "/tmp/providerd-1000"},
		{"HomeOfTheAccount", "linux", 1001, map[string]string{}, "/home/account/.config/providerd/providerd.toml",
			"/tmp/providerd-1001/providerd.sock", "/home/account/.local/state/providerd"},
		{"HomeThatAContainerMakesUp", "linux", 1000, map[string]string{"HOME": "/"}, "", "/tmp/providerd-1000/providerd.sock", "/tmp/providerd-1000"},
		{"System", "linux", 991, user, "/etc/providerd/providerd.toml", "/run/providerd/providerd.sock", "/var/lib/providerd"},
		{"SystemOnWindows", "windows", -1, map[string]string{"AppData": "/roaming", "LocalAppData": "/local", "ProgramData": "/all"},
			"/all/providerd/providerd.toml", "/all/providerd/run/providerd.sock", "/all/providerd/state"},
		{"SystemOnWindowsWithoutFolders", "windows", -1, map[string]string{}, "", "/tmp/providerd/providerd.sock", "/tmp/providerd"},
		{"Windows", "windows", -1, map[string]string{"AppData": "/roaming", "LocalAppData": "/local"},
			"/roaming/providerd/providerd.toml", "/local/providerd/providerd.sock", "/local/providerd"},
		{"WindowsWithoutFolders", "windows", -1, map[string]string{}, "", "/tmp/providerd/providerd.sock", "/tmp/providerd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := config.Env{Getenv: func(name string) string { return c.vars[name] }, UID: c.uid, TempDir: "/tmp", OS: c.os, System: strings.HasPrefix(c.name, "System")}
			if c.name == "HomeOfTheAccount" {
				e.Home = "/home/account"
			}
			if got := config.DefaultPath(e); got != c.path {
				t.Errorf("path %s, want %s", got, c.path)
			}
			if got := config.DefaultSocket(e); got != c.socket {
				t.Errorf("socket %s, want %s", got, c.socket)
			}
			if got := config.DefaultStateDir(e); got != c.state {
				t.Errorf("state %s, want %s", got, c.state)
			}
		})
	}
}

func TestParse_StateDirectory(t *testing.T) {
	for _, c := range []struct{ name, variable, want string }{
		{"Wins", "/var/lib/private/p", "/var/lib/private/p"},
		{"FirstOfSeveral", "/one:/two", "/one"},
		{"RelativeDoesNotCount", "state", "/srv/p"},
		{"NotSet", "", "/srv/p"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := parse(t, "[daemon]\nstate_dir = \"/srv/p\"", env(map[string]string{"STATE_DIRECTORY": c.variable}, nil))
			if got.Daemon.StateDir != c.want {
				t.Errorf("got %s, want %s", got.Daemon.StateDir, c.want)
			}
		})
	}
}

func TestDaemon_Validate(t *testing.T) {
	good := config.Daemon{Socket: "/run/p.sock", StateDir: "/srv/p", LogLevel: "warn"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	bad := config.Daemon{Socket: "p.sock", StateDir: "/srv/p", LogLevel: "wran"}
	err := bad.Validate()
	var e *config.Error
	if !errors.As(err, &e) || len(e.Problems) != 2 {
		t.Fatalf("got %v", err)
	}
	const want = "socket is \"p.sock\": a relative path\n     = write the path in full, from the root\n" +
		"unknown log level \"wran\"\n     = did you mean warn?"
	if err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
