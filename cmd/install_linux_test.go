package cmd_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/providerd/providerd/packaging"
)

// A person is a user of the machine who is not root, with a home and a fake systemd that
// only records its calls.
type person struct {
	t    *testing.T
	home string
	env  []string
}

// newPerson is nobody if the tests run as root.
func newPerson(t *testing.T) *person {
	home, err := os.MkdirTemp("", "pd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	p := &person{t: t, home: home, env: []string{
		"HOME=" + home, "XDG_RUNTIME_DIR=" + home + "/run", "PATH=" + home + "/fake:/usr/bin:/bin",
	}}
	p.write("bin/providerd", string(mustRead(t, program("providerd"))), 0o755)
	// With rpm-ostree in PATH, kardianos/service takes it for a systemd machine.
	p.write("fake/rpm-ostree", "#!/bin/sh\n", 0o755)
	p.write("fake/systemctl", `#!/bin/sh
echo "$@" >>"$HOME/told"
case "$*" in *" show "*) echo ActiveState=active; echo SubState=running ;; esac
`, 0o755)
	p.write("run/systemd/private", "", 0o600)
	if os.Geteuid() == 0 {
		err := filepath.WalkDir(home, func(path string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Chown(path, nobody, nobody))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return p
}

const nobody = 65534

// providerd runs it as the person, and returns its exit code and output.
func (p *person) providerd(args ...string) (code int, out string) {
	p.t.Helper()
	cmd := p.command(args...)
	b, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(b)
}

func (p *person) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.home+"/bin/providerd", args...)
	cmd.Env, cmd.Dir = p.env, p.home
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return cmd
}

func (p *person) write(name, text string, mode os.FileMode) {
	p.t.Helper()
	path := filepath.Join(p.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		p.t.Fatal(err)
	}
}

// told is how systemctl was called since the last time.
func (p *person) told() []string {
	path := p.home + "/told"
	text := string(mustRead(p.t, path))
	os.Remove(path)
	return strings.Split(strings.TrimSpace(text), "\n")
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// notPackaged skips a test if providerd is already a service.
func notPackaged(t *testing.T) {
	for _, file := range []string{"/usr/lib/systemd/user/providerd.service", "/usr/lib/systemd/system/providerd.service", "/etc/systemd/system/providerd.service"} {
		if _, err := os.Stat(file); err == nil {
			t.Skip("providerd is installed here: " + file)
		}
	}
}

// What kardianos/service makes of our text, and how it calls systemd.
func TestService_OfAUser(t *testing.T) {
	notPackaged(t)
	p := newPerson(t)
	unit := p.home + "/.config/systemd/user/providerd.service"
	for _, done := range []string{"installed", "upgraded"} {
		if code, out := p.providerd("service", "install", "--user"); code != 0 || !strings.Contains(out, done) {
			t.Fatalf("%d: %s", code, out)
		}
		if got := string(mustRead(t, unit)); got != packaging.UserUnit(p.home+"/bin/providerd") {
			t.Errorf("the unit is\n%s", got)
		}
		told := strings.Join(p.told(), "; ")
		if want := "enable --user providerd.service; daemon-reload --user; restart --user providerd.service"; told != want {
			t.Errorf("systemctl was told %q, want %q", told, want)
		}
	}
	if code, out := p.providerd("service", "status", "--user"); code != 0 || !strings.HasPrefix(out, "providerd.service: active (running)") {
		t.Errorf("%d: %s", code, out)
	}
	if code, out := p.providerd("service", "uninstall", "--user"); code != 0 || !strings.Contains(out, "uninstalled") {
		t.Errorf("%d: %s", code, out)
	}
	if _, err := os.Stat(unit); err == nil {
		t.Error("the unit is still there")
	}
	if code, out := p.providerd("service", "status", "--user"); code != 1 || !strings.Contains(out, "try: "+p.home+"/bin/providerd service install --user") {
		t.Errorf("%d: %s", code, out)
	}
}

func TestService_WithoutRights(t *testing.T) {
	p := newPerson(t)
	code, out := p.providerd("service", "install")
	want := `try: sudo install -m 755 "` + p.home + `/bin/providerd" /usr/local/bin/providerd && sudo /usr/local/bin/providerd service install`
	if code != 1 || !strings.Contains(out, want) {
		t.Errorf("%d: %s\nwant %s", code, out, want)
	}
	notPackaged(t)
	if code, out := p.providerd("service", "stop"); code != 1 || !strings.Contains(out, "providerd.service is not installed") {
		t.Errorf("%d: %s", code, out)
	}
}

// The system's daemon is for all users, even if it is not root.
func TestSystem_SocketIsForAll(t *testing.T) {
	for _, tt := range []struct {
		flag string
		mode os.FileMode
	}{{"--system", 0o666}, {"--system=false", 0o600}} {
		t.Run(tt.flag, func(t *testing.T) {
			p := newPerson(t)
			socket := p.home + "/run/s"
			p.write("c.toml", "[[provider]]\nid = \"a\"\nkind = \"tcp\"\nbase_url = \"tcp://127.0.0.1:9\"\n", 0o644)
			cmd := p.command(tt.flag, "--config", "c.toml", "--socket", socket, "--state-dir", p.home+"/state")
			log := &lockedBuffer{}
			cmd.Stderr = log
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			(&process{t: t, log: log}).until(func() bool {
				info, err := os.Stat(socket)
				return err == nil && info.Mode().Perm() == tt.mode
			})
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("%v\n%s", err, log)
			}
		})
	}
	p := newPerson(t)
	if _, out := p.providerd("config", "show", "--system"); !strings.Contains(out, `"/run/providerd/providerd.sock"`) ||
		!strings.Contains(out, `"/var/lib/providerd"`) {
		t.Errorf("config show --system:\n%s", out)
	}
}
