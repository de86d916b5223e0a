package packaging_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/packaging"
)

// A unit is a unit file: the values of each setting by "Section.Setting".
type unit map[string][]string

func parse(t *testing.T, text string) unit {
	t.Helper()
	u, section := unit{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(name, "]")
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			t.Fatalf("not a setting: %q", line)
		}
		u[section+"."+key] = append(u[section+"."+key], value)
	}
	return u
}

func TestUnits_Promises(t *testing.T) {
	both := map[string][]string{
		"Unit.StartLimitIntervalSec":      {"0"}, // never give up
		"Service.Type":                    {"notify"},
		"Service.NotifyAccess":            {"main"},
		"Service.WatchdogSec":             {"30s"},
		"Service.Restart":                 {"always"},
		"Service.RestartSec":              {"1s"},
		"Service.ExecReload":              {"/bin/sh -c 'kill -HUP ${MAINPID}'"},
		"Service.LimitCORE":               {"0"},
		"Service.UMask":                   {"0077"},
		"Service.NoNewPrivileges":         {"yes"},
		"Service.RestrictAddressFamilies": {"AF_UNIX AF_INET AF_INET6 AF_NETLINK"},
		"Service.SystemCallFilter":        {"@system-service", "~@privileged @resources"},
		"Service.SystemCallErrorNumber":   {"EPERM"},
		"Service.RestrictSUIDSGID":        {"yes"},
	}
	for name, tt := range map[string]struct {
		text string
		want map[string][]string
		none []string // settings that must not be there
	}{
		"System": {packaging.SystemUnit("/opt/p/providerd"), map[string][]string{
			"Service.ExecStart":              {"/opt/p/providerd --system"},
			"Service.User":                   {"providerd"},
			"Service.Group":                  {"providerd"},
			"Service.CapabilityBoundingSet":  {""},
			"Service.AmbientCapabilities":    {""},
			"Service.ProtectSystem":          {"strict"},
			"Service.StateDirectory":         {"providerd"},
			"Service.StateDirectoryMode":     {"0700"},
			"Service.RuntimeDirectory":       {"providerd"},
			"Service.RuntimeDirectoryMode":   {"0755"},
			"Service.ConfigurationDirectory": {"providerd"},
			// The second lets the service start without the folder.
			"Service.LoadCredential":  {"key:/etc/providerd/credentials"},
			"Service.SetCredential":   {"key:none"},
			"Service.EnvironmentFile": {"-/etc/providerd/environment"},
			"Install.WantedBy":        {"multi-user.target"},
		}, []string{
			"Service.RestartPreventExitStatus", // a panic must not be final
			"Service.PrivateUsers",             // the socket would see everybody as nobody
			"Service.PrivateNetwork",           // it has to reach providers
			"Service.ReadWritePaths",           // it writes only to its own folders
			"Unit.Wants",                       // network-online.target: offline is a state to report too
			"Service.DynamicUser",              // the admin group is a name that people join
		}},
		"User": {packaging.UserUnit("/home/ada/bin/providerd"), map[string][]string{
			"Service.ExecStart": {"/home/ada/bin/providerd"},
			"Install.WantedBy":  {"default.target"},
		}, []string{
			"Service.User", "Service.Group", "Service.LoadCredential",
			// Before systemd 254 it would be in the configuration folder.
			"Service.StateDirectory",
			// A user's manager needs PrivateUsers for them.
			"Service.ProtectSystem", "Service.ProtectHome", "Service.PrivateTmp", "Service.PrivateDevices", "Service.ProtectProc",
			"Service.CapabilityBoundingSet",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			u := parse(t, tt.text)
			for _, want := range []map[string][]string{both, tt.want} {
				for key, values := range want {
					if !slices.Equal(u[key], values) {
						t.Errorf("%s is %q, want %q", key, u[key], values)
					}
				}
			}
			for _, key := range tt.none {
				if values, ok := u[key]; ok {
					t.Errorf("%s is there: %q", key, values)
				}
			}
		})
	}
}

func TestSocketUnit(t *testing.T) {
	u := parse(t, packaging.SocketUnit())
	for key, want := range map[string]string{
		"Socket.ListenStream": "/run/providerd/providerd.sock",
		"Socket.SocketMode":   "0666",
		"Install.WantedBy":    "sockets.target",
	} {
		if !slices.Equal(u[key], []string{want}) {
			t.Errorf("%s is %q, want %q", key, u[key], want)
		}
	}
	if keep := parse(t, packaging.SystemUnit("/p"))["Service.RuntimeDirectoryPreserve"]; !slices.Equal(keep, []string{"yes"}) {
		t.Error("the service takes the folder of the activated socket with it")
	}
}

func TestTexts_NameTheProgram(t *testing.T) {
	const program = "/opt/p/providerd"
	for name, text := range map[string]func(string) string{
		"systemd/providerd.service":                    packaging.SystemUnit,
		"systemd/user/providerd.service":               packaging.UserUnit,
		"openrc/providerd":                             packaging.OpenRC,
		"launchd/" + packaging.LaunchdLabel + ".plist": func(p string) string { return packaging.Launchd(p, "/l") },
	} {
		t.Run(filepath.Base(filepath.Dir(name)), func(t *testing.T) {
			file, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := text(program)
			if n := strings.Count(got, program); n != 1 {
				t.Errorf("the program is named %d times", n)
			}
			for _, left := range []string{"/usr/bin/providerd", "/usr/local/bin/providerd"} {
				if strings.Contains(got, left) {
					t.Errorf("%s is left in it", left)
				}
			}
			// kardianos/service reads texts as templates.
			if strings.Contains(got, "{{") {
				t.Error("it contains what looks like a template action")
			}
			if !packaging.Ours(got) || !packaging.Ours(string(file)) {
				t.Error("it is not recognised as ours")
			}
		})
	}
	if packaging.Ours("[Service]\nExecStart=/usr/local/bin/providerd\n") {
		t.Error("another's unit is taken for ours")
	}
}

func TestSysusers(t *testing.T) {
	if text := packaging.Sysusers(); !strings.Contains(text, "\nu providerd ") { // u makes the group too
		t.Errorf("got %q", text)
	}
}

func TestLaunchd(t *testing.T) {
	text := packaging.Launchd("/p", "/Users/A & B/providerd.log")
	if !strings.Contains(text, "<string>/Users/A &amp; B/providerd.log</string>") || strings.Contains(text, "/var/log") {
		t.Error("the log is not where it was asked for")
	}
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpenRC_IsAShellScript(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell is here")
	}
	cmd := exec.Command("sh", "-n")
	cmd.Stdin = strings.NewReader(packaging.OpenRC("/p"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
