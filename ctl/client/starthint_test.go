package client

import (
	"path/filepath"
	"testing"
)

// The hint is to start the service only if the service is the daemon that was looked for.
func TestMisses_StartHint(t *testing.T) {
	if SystemSocket() == "" {
		t.Skip("there is no system's daemon here")
	}
	own, system := miss{path: "/run/user/1000/providerd/providerd.sock"}, miss{path: SystemSocket()}
	unit := func(path string) bool { return path == "/etc/systemd/system/providerd.service" }
	home := t.TempDir()
	t.Setenv("HOME", home)
	users := func(path string) bool { return path == filepath.Join(home, ".config/systemd/user/providerd.service") }
	both := func(path string) bool { return unit(path) || users(path) }
	none := func(string) bool { return false }
	for name, tc := range map[string]struct {
		failed misses
		exists func(string) bool
		want   string
	}{
		"Installed":     {misses{own, system}, unit, "start it: sudo providerd service start"},
		"NotInstalled":  {misses{own, system}, none, "start it: providerd"},
		"TheUsers":      {misses{own, system}, users, "start it: providerd service start --user"},
		"Both":          {misses{own, system}, both, "start it: providerd service start --user"},
		"BothForRoot":   {misses{system, own}, both, "start it: sudo providerd service start"},
		"NotTheUsers":   {misses{{path: "/srv/p.sock"}}, both, "start it: providerd"},
		"AnotherSocket": {misses{{path: "/srv/p.sock"}}, unit, "start it: providerd"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.failed.startHint(tc.exists); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
