package service_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/service"
)

// ada is logged in: a service manager of hers runs.
func ada(m *machine) {
	m.host.UID = 1000
	m.host.Getenv = func(name string) string {
		if name == "XDG_RUNTIME_DIR" {
			return "/run/user/1000"
		}
		return ""
	}
	m.write("/run/user/1000/systemd/private", "", 0o600)
}

func TestService_User(t *testing.T) {
	const sudo = "sudo loginctl enable-linger 1000; export XDG_RUNTIME_DIR=/run/user/1000"
	for name, tt := range map[string]struct {
		prepare    func(m *machine)
		says, hint string
	}{
		"Root": {func(*machine) {}, "not for root",
			"as that user, without sudo: providerd service install --user; or the machine's: sudo providerd service install"},
		"NobodyLoggedIn": {func(m *machine) { m.host.UID = 1000 }, "your service manager is not running", sudo},
		"VariableOfNothing": {func(m *machine) {
			ada(m)
			m.host.Root = m.t.TempDir()
		}, "your service manager is not running", sudo},
		"VariableLost": {func(m *machine) {
			ada(m)
			m.host.Getenv = func(string) string { return "" }
		}, "XDG_RUNTIME_DIR is not set", "export XDG_RUNTIME_DIR=/run/user/1000"},
		"GoRun": {func(m *machine) {
			ada(m)
			m.host.Program = "/home/ada/go-build1/providerd"
		}, "go run deletes it", `install -D -m 755 "/home/ada/go-build1/providerd" ~/.local/bin/providerd && ~/.local/bin/providerd service install --user`},
		"HomeWithABlank": {func(m *machine) {
			ada(m)
			m.host.Home, m.host.Program = "/home/ada b", "/home/ada b/providerd"
		}, "letters, digits", `sudo install -m 755 "/home/ada b/providerd" /usr/local/bin/providerd && /usr/local/bin/providerd service install --user`},
		"Packaged": {func(m *machine) {
			ada(m)
			m.write("/usr/lib/systemd/user/providerd.service", "", 0o644)
		}, "a package has already installed the service", "systemctl --user enable --now providerd"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			tt.prepare(m)
			m.refused(m.service(true).Install(t.Context()), tt.says, tt.hint)
		})
	}
	t.Run("NotInstalled", func(t *testing.T) {
		m := newMachine(t)
		ada(m)
		m.refused(m.service(true).Start(t.Context()), "not installed", "providerd service install --user")
	})
}

func TestNew_Unsupported(t *testing.T) {
	for _, platform := range []string{"unix-systemv", "linux-upstart", "linux-procd", "freebsd", ""} {
		m := newMachine(t)
		m.host.Platform = platform
		_, err := service.New(m.host, false, &m.out)
		m.refused(err, "no supported service manager runs here", "run it in the foreground: providerd, or under your own supervisor: providerd --system")
		_, err = service.New(m.host, true, &m.out)
		m.refused(err, "no supported service manager runs here", "run it in the foreground, or under your own supervisor: providerd")
	}
	for platform, command := range map[string]string{
		"linux-openrc":    "sudo providerd service install",
		"windows-service": "in a terminal opened as administrator: providerd service install",
	} {
		m := newMachine(t)
		m.host.Platform = platform
		_, err := service.New(m.host, true, &m.out)
		m.refused(err, "no services for single users", "run providerd in the foreground, or install the machine's: "+command)
	}
}

func TestService_Status(t *testing.T) {
	for name, tt := range map[string]struct {
		shows, want string
		running     bool
	}{
		"Running": {"ActiveState=active\nSubState=running\nStateChangeTimestamp=Tue 2026-11-24 19:00:00 UTC\nMainPID=812\nUnitFileState=enabled\nResult=success\nStatusText=3 providers, 2 usable\n",
			"providerd.service: active (running) since Tue 2026-11-24 19:00:00 UTC, pid 812, enabled: 3 providers, 2 usable", true},
		"Reloading": {"ActiveState=reloading\nSubState=reload\n", "providerd.service: reloading (reload)", true},
		"FailedAndToBeTriedAgain": {"ActiveState=activating\nSubState=auto-restart\nMainPID=0\nUnitFileState=disabled\nResult=exit-code\n",
			"providerd.service: activating (auto-restart), its last run ended with exit-code, disabled", false},
		"Stopped": {"ActiveState=inactive\nSubState=dead\nStateChangeTimestamp=\nMainPID=0\nUnitFileState=enabled\nResult=success\n",
			"providerd.service: inactive (dead), enabled", false},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.host.UID = 1000 // anybody may ask
			m.write(unitFile, "", 0o644)
			m.shows = tt.shows
			line, running, err := m.service(false).Status(t.Context())
			if err != nil || line != tt.want || running != tt.running {
				t.Errorf("got %q, %v, %v\nwant %q, %v", line, running, err, tt.want, tt.running)
			}
		})
	}
	t.Run("NotInstalled", func(t *testing.T) {
		m := newMachine(t)
		_, _, err := m.service(false).Status(t.Context())
		m.refused(err, "providerd.service is not installed", "sudo providerd service install")
	})
	t.Run("SystemctlFails", func(t *testing.T) {
		m := newMachine(t)
		m.write(unitFile, "", 0o644)
		m.fails["systemctl show providerd.service --property=ActiveState,SubState,StateChangeTimestamp,MainPID,UnitFileState,Result,StatusText"] = errors.New("no bus")
		if _, _, err := m.service(false).Status(t.Context()); err == nil || !strings.Contains(err.Error(), "no bus") {
			t.Errorf("got %v", err)
		}
	})
}
