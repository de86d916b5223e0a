package service_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	kardianos "github.com/kardianos/service"

	"github.com/providerd/providerd/daemon/service"
	"github.com/providerd/providerd/packaging"
)

const (
	unitFile   = "/etc/systemd/system/providerd.service"
	socketFile = "/etc/systemd/system/providerd.socket"
	initFile   = "/etc/init.d/providerd"
	program    = "/usr/local/bin/providerd"
)

// A machine is a root folder with a service manager that only takes notes.
type machine struct {
	t     *testing.T
	host  service.Host
	out   bytes.Buffer
	did   []string         // what the service manager and the commands were told
	fails map[string]error // by what they are told
	shows string           // what systemctl show answers
}

// newMachine runs systemd, has the program where it belongs, and root at work.
func newMachine(t *testing.T) *machine {
	m := &machine{t: t, fails: map[string]error{}}
	m.host = service.Host{
		Platform: "linux-systemd", Root: t.TempDir(), Program: program, Home: "/home/ada",
		Getenv:   func(string) string { return "" },
		HasUser:  func(string) bool { return true },
		HasGroup: func(string) bool { return true },
		LookPath: func(name string) (string, error) { return "/usr/bin/" + name, nil },
		Run: func(_ context.Context, _, name string, args ...string) (string, error) {
			line := strings.Join(append([]string{name}, args...), " ")
			if strings.Contains(line, " show ") {
				return m.shows, m.fails[line]
			}
			return "", m.note(line)
		},
		New: func(_ kardianos.Interface, c *kardianos.Config) (kardianos.Service, error) {
			return &manager{machine: m, config: c}, nil
		},
	}
	if err := os.Chmod(m.host.Root, 0o755); err != nil {
		t.Fatal(err)
	}
	m.write(program, "the program", 0o755)
	return m
}

func (m *machine) note(line string) error {
	m.did = append(m.did, line)
	return m.fails[line]
}

func (m *machine) write(path, text string, mode fs.FileMode) {
	m.t.Helper()
	path = filepath.Join(m.host.Root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		m.t.Fatal(err)
	}
}

// read is the text of a file, or "none".
func (m *machine) read(path string) string {
	b, err := os.ReadFile(filepath.Join(m.host.Root, path))
	if err != nil {
		return "none"
	}
	return string(b)
}

func (m *machine) service(user bool) *service.Service {
	m.t.Helper()
	s, err := service.New(m.host, user, &m.out)
	if err != nil {
		m.t.Fatal(err)
	}
	return s
}

// A manager installs as kardianos/service does: not over what is there.
type manager struct {
	*machine
	kardianos.Service
	config *kardianos.Config
}

func (g *manager) Install() error {
	file, text := unitFile, g.config.Option["SystemdScript"]
	if g.host.Platform == "linux-openrc" {
		file, text = initFile, g.config.Option["OpenRCScript"]
	}
	if g.read(file) != "none" {
		return errors.New("Init already exists")
	}
	g.write(file, text.(string), 0o644)
	return g.note("install")
}

func (g *manager) Uninstall() error {
	if err := os.Remove(filepath.Join(g.host.Root, unitFile)); err != nil {
		return err
	}
	return g.note("uninstall")
}

func (g *manager) Start() error   { return g.note("start") }
func (g *manager) Stop() error    { return g.note("stop") }
func (g *manager) Restart() error { return g.note("restart") }

func (m *machine) wants(did ...string) {
	m.t.Helper()
	if !slices.Equal(m.did, did) {
		m.t.Errorf("did %q, want %q", m.did, did)
	}
	m.did = nil
}

// refused checks that an error says both, and that nothing was done.
func (m *machine) refused(err error, says, hint string) {
	m.t.Helper()
	var hinted interface{ Hint() string }
	switch {
	case err == nil || !errors.As(err, &hinted):
		m.t.Fatalf("got %v, want an error with a hint", err)
	case !strings.Contains(err.Error(), says):
		m.t.Errorf("got %q, want %q in it", err, says)
	case hinted.Hint() != hint:
		m.t.Errorf("hint %q\nwant %q", hinted.Hint(), hint)
	}
	m.wants()
}

func TestService_Install(t *testing.T) {
	t.Run("Anew", func(t *testing.T) {
		m := newMachine(t)
		if err := m.service(false).Install(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.wants("install", "restart")
		if m.read(unitFile) != packaging.SystemUnit(program) || m.read(socketFile) != packaging.SocketUnit() {
			t.Error("the units are not the packages'")
		}
		if _, err := os.Stat(filepath.Join(m.host.Root, "/etc/providerd")); err != nil {
			t.Errorf("the folder of the configuration: %v", err)
		}
		if got := m.out.String(); !strings.Contains(got, "installed") {
			t.Errorf("said %q", got)
		}
	})
	t.Run("AgainUpgrades", func(t *testing.T) {
		m := newMachine(t)
		m.write(unitFile, strings.Replace(packaging.SystemUnit("/old/providerd"), "WatchdogSec", "Old", 1), 0o644)
		m.write("/etc/providerd/providerd.toml", "# mine", 0o644)
		if err := m.service(false).Install(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.wants("install", "restart")
		if m.read(unitFile) != packaging.SystemUnit(program) || m.read("/etc/providerd/providerd.toml") != "# mine" {
			t.Error("the unit is the old one, or the configuration is gone")
		}
		if m.read(unitFile+".before") != "none" {
			t.Error("the old unit is still there")
		}
		if got := m.out.String(); !strings.Contains(got, "upgraded") {
			t.Errorf("said %q", got)
		}
	})
	t.Run("FailedUpgradeLeavesTheOldOne", func(t *testing.T) {
		m := newMachine(t)
		old := packaging.SystemUnit("/old/providerd")
		m.write(unitFile, old, 0o644)
		m.fails["install"] = errors.New("exit status 1")
		if err := m.service(false).Install(t.Context()); err == nil {
			t.Fatal("no error")
		}
		if m.read(unitFile) != old {
			t.Error("the old unit is gone")
		}
	})
	t.Run("FailedInstallLeavesNothing", func(t *testing.T) {
		m := newMachine(t)
		m.fails["install"] = errors.New("exit status 1")
		if err := m.service(false).Install(t.Context()); err == nil {
			t.Fatal("no error")
		}
		if m.read(unitFile) != "none" {
			t.Error("there is a unit")
		}
	})
	t.Run("FailedStartPointsToTheLog", func(t *testing.T) {
		m := newMachine(t)
		m.fails["restart"] = errors.New("exit status 1")
		err := m.service(false).Install(t.Context())
		m.did = nil
		m.refused(err, "start providerd.service: exit status 1", "journalctl -u providerd -n 20")
	})
}

func TestService_Install_MakesTheAccount(t *testing.T) {
	for name, tt := range map[string]struct {
		commands []string
		group    bool // is there
		want     []string
	}{
		"Sysusers":      {commands: []string{"systemd-sysusers", "useradd"}, want: []string{"systemd-sysusers -"}},
		"Useradd":       {commands: []string{"useradd", "adduser"}, want: []string{"useradd --system --user-group --no-create-home --home-dir=/ --shell=/usr/sbin/nologin providerd"}},
		"UseraddJoined": {commands: []string{"useradd"}, group: true, want: []string{"useradd --system --gid=providerd --no-create-home --home-dir=/ --shell=/usr/sbin/nologin providerd"}},
		"BusyBox":       {commands: []string{"adduser"}, want: []string{"addgroup -S providerd", "adduser -S -D -H -h / -s /sbin/nologin -G providerd providerd"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.host.HasUser = func(string) bool { return false }
			m.host.HasGroup = func(string) bool { return tt.group }
			m.host.LookPath = func(name string) (string, error) {
				if slices.Contains(tt.commands, name) {
					return "/usr/sbin/" + name, nil
				}
				return "", errors.New("not found")
			}
			if err := m.service(false).Install(t.Context()); err != nil {
				t.Fatal(err)
			}
			m.wants(append(tt.want, "install", "restart")...)
		})
	}
}

func TestService_Install_Refuses(t *testing.T) {
	const install = "sudo install -m 755 %q /usr/local/bin/providerd && sudo /usr/local/bin/providerd service install"
	from := func(path string) string { return strings.Replace(install, "%q", `"`+path+`"`, 1) }
	for name, tt := range map[string]struct {
		prepare    func(m *machine)
		says, hint string
	}{
		"NotRoot": {func(m *machine) { m.host.UID = 1000 }, "access denied", "sudo providerd service install"},
		"NotRootAndNotInThePath": {func(m *machine) {
			m.host.UID, m.host.Program = 1000, "/opt/p/providerd"
			m.write("/opt/p/providerd", "", 0o755)
		}, "access denied", "sudo /opt/p/providerd service install"},
		"InAHome":      {func(m *machine) { m.host.Program = "/home/ada/providerd" }, "services cannot see /home", from("/home/ada/providerd")},
		"InAHomeNotBy": {func(m *machine) { m.host.UID, m.host.Program = 1000, "/home/ada/providerd" }, "services cannot see /home", from("/home/ada/providerd")},
		"InTmp":        {func(m *machine) { m.host.Program = "/tmp/providerd" }, "services cannot see /tmp", from("/tmp/providerd")},
		"GoRun":        {func(m *machine) { m.host.Program = "/var/x/go-build12/b001/exe/providerd" }, "go run deletes it", from("/var/x/go-build12/b001/exe/providerd")},
		"OddPath":      {func(m *machine) { m.host.Program = "/opt/a b/{{x}}" }, "letters, digits", from("/opt/a b/{{x}}")},
		"NotForAll": {func(m *machine) {
			m.host.Program = "/opt/p/providerd"
			m.write("/opt/p/providerd", "", 0o750)
		}, "not everybody may enter or run /opt/p/providerd (mode 0750)", from("/opt/p/providerd")},
		"AnybodyMayWriteIt": {func(m *machine) {
			m.host.Program = "/opt/p/providerd"
			m.write("/opt/p/providerd", "", 0o777)
		}, "everybody may write /opt/p/providerd", from("/opt/p/providerd")},
		"InPlaceButNotForAll": {func(m *machine) { m.write(program, "", 0o700) }, "not everybody may enter or run " + program,
			"sudo chown root " + program + " && sudo chmod 755 " + program + " && sudo " + program + " service install"},
		"Packaged": {func(m *machine) { m.write("/usr/lib/systemd/system/providerd.service", "", 0o644) },
			"a package has already installed the service", "sudo systemctl enable --now providerd"},
		"PackagedLater": {func(m *machine) {
			m.write("/usr/lib/systemd/system/providerd.service", "", 0o644)
			m.write(unitFile, packaging.SystemUnit(program), 0o644)
		}, "a package has already installed", "sudo providerd service uninstall && sudo systemctl enable --now providerd"},
		"AnothersUnit": {func(m *machine) { m.write(unitFile, "[Service]\nExecStart=/x/providerd\n", 0o644) },
			"not written by this program", "sudo mv " + unitFile + " " + unitFile + ".old"},
		"Masked": {func(m *machine) {
			dir := filepath.Join(m.host.Root, filepath.Dir(unitFile))
			if err := errors.Join(os.MkdirAll(dir, 0o755), os.Symlink("/dev/null", filepath.Join(m.host.Root, unitFile))); err != nil {
				m.t.Fatal(err)
			}
		}, "may be masked", "sudo systemctl unmask providerd"},
		"NoWayToMakeTheAccount": {func(m *machine) {
			m.host.HasUser = func(string) bool { return false }
			m.host.LookPath = func(string) (string, error) { return "", errors.New("not found") }
		}, "there is no user providerd", "create the system user and group providerd, then: sudo providerd service install"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			tt.prepare(m)
			m.refused(m.service(false).Install(t.Context()), tt.says, tt.hint)
		})
	}
}

func TestService_Uninstall(t *testing.T) {
	m := newMachine(t)
	s := m.service(false)
	if err := s.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.did = nil
	m.write("/var/lib/providerd/providerd.db", "state", 0o600)
	if err := s.Uninstall(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.wants("stop", "systemctl disable --now providerd.socket", "uninstall", "systemctl reset-failed providerd.service")
	if m.read(unitFile) != "none" || m.read(socketFile) != "none" || m.read("/var/lib/providerd/providerd.db") != "state" {
		t.Error("a unit is left, or the state is gone")
	}
	m.out.Reset()
	if err := s.Uninstall(t.Context()); err != nil || !strings.Contains(m.out.String(), "not installed") {
		t.Errorf("the second time: %v, %s", err, m.out.String())
	}
	m.wants()
	m.write("/usr/lib/systemd/system/providerd.service", "", 0o644)
	m.refused(s.Uninstall(t.Context()), "a package has already installed", "remove the package, or: sudo systemctl disable --now providerd")
}

func TestService_StartStopRestart(t *testing.T) {
	for verb, do := range map[string]func(*service.Service) error{
		"start":   func(s *service.Service) error { return s.Start(t.Context()) },
		"stop":    func(s *service.Service) error { return s.Stop(t.Context()) },
		"restart": func(s *service.Service) error { return s.Restart(t.Context()) },
	} {
		t.Run(verb, func(t *testing.T) {
			m := newMachine(t)
			m.refused(do(m.service(false)), "providerd.service is not installed", "sudo providerd service install")
			m.write("/usr/lib/systemd/system/providerd.service", "", 0o644) // the package's will do
			if err := do(m.service(false)); err != nil {
				t.Fatal(err)
			}
			m.wants(verb)
			m.host.UID = 1000
			m.refused(do(m.service(false)), "access denied", "sudo providerd service "+verb)
		})
	}
}
