package cmd_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// What docs/containers.md says, played with namespaces and chroot: an image of nothing but
// the two programs, as they are packaged.

// What the page tells people to write, and these tests run.
var (
	entrypoint  = []string{"/usr/bin/providerd", "--system"}
	healthCheck = []string{"/usr/bin/providerctl", "health", "-q"}
	podArgs     = []string{"--insecure-folder", "/data", "--state-dir", "/data/state", "--socket", "/data/run/providerd.sock"}
	podProbe    = []string{"/usr/bin/providerctl", "--socket", "/data/run/providerd.sock", "health", "-q"}
)

func TestContainer_ThePageSaysWhatIsPlayed(t *testing.T) {
	page, err := os.ReadFile("../docs/containers.md")
	if err != nil {
		t.Fatal(err)
	}
	for instruction, words := range map[string][]string{
		"\nENTRYPOINT ": entrypoint, " CMD ": healthCheck, "args: ": podArgs, "readinessProbe: {exec: {command: ": podProbe,
	} {
		list := strings.ReplaceAll(fmt.Sprintf("%q", words), "\" \"", "\", \"")
		if !strings.Contains(string(page), instruction+list) {
			t.Errorf("docs/containers.md has no %s%s", instruction, list)
		}
	}
}

// static are the programs as the packages have them, without libc.
var static = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(bin, "static") // which the tests' end removes
	build := exec.Command("go", "build", "-o", dir+"/", "./providerd", "./providerctl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return dir, nil
})

// nonroot is who runs in the container. It has no account.
var nonroot = alone(65_532)

// A container is an image that cannot be written, and how its programs are run.
type container struct {
	t    *testing.T
	root string
}

// newContainer makes the image of the Dockerfile at an empty folder, which needs a mount
// namespace of the test's own, with volumes at paths of it.
func newContainer(t *testing.T, volumes map[string]os.FileMode) *container {
	t.Helper()
	programs, err := static()
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.MkdirTemp("/run", "image")
	if err == nil {
		err = unix.Mount("none", root, "tmpfs", 0, "mode=755")
	}
	if err == nil {
		err = os.MkdirAll(root+"/usr/bin", 0o755)
	}
	for _, name := range []string{"providerd", "providerctl"} {
		text, readErr := os.ReadFile(filepath.Join(programs, name))
		err = errors.Join(err, readErr, writeProgram(filepath.Join(root, "usr/bin", name), string(text)))
	}
	if err != nil {
		t.Fatal(err)
	}
	for path, mode := range volumes {
		if err := errors.Join(os.MkdirAll(root+path, 0o755), unix.Mount("none", root+path, "tmpfs", 0, fmt.Sprintf("mode=%o", mode))); err != nil {
			t.Fatal(err)
		}
		if mode&0o002 == 0 {
			chown(t, root+path, nonroot.uid) // as the folder of the image is
		}
	}
	return &container{t, root}
}

// seal makes the image one that cannot be written.
func (c *container) seal() *container {
	c.t.Helper()
	if err := unix.Mount("", c.root, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		c.t.Fatal(err)
	}
	return c
}

// run is a command line of the image's, in the environment that a container has.
func (c *container) run(u user, words ...string) *exec.Cmd {
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = []string{"PATH=/usr/bin", "HOME=/"}
	cmd.Dir = "/"
	u.become(cmd)
	cmd.SysProcAttr.Chroot = c.root
	return cmd
}

func (c *container) command(u user, name string, args ...string) *exec.Cmd {
	return c.run(u, append([]string{"/usr/bin/" + name}, args...)...)
}

// start runs the daemon of the image until the test, or end, ends it.
func (c *container) start(words ...string) (log *lockedBuffer, end func()) {
	c.t.Helper()
	cmd := c.run(nonroot, words...)
	log = &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	c.t.Cleanup(func() {
		end()
		if c.t.Failed() {
			c.t.Logf("providerd's log:\n%s", log)
		}
	})
	eventually(c.t, "the start", func() bool { return strings.Contains(log.String(), "started") })
	return log, end
}

func TestContainer_AnEmptyImage(t *testing.T) {
	needRoot(t)
	withOwnRun(t, 0o755)
	c := newContainer(t, map[string]os.FileMode{"/run/providerd": 0o755, "/var/lib/providerd": 0o700}).seal()
	check := func() (int, string) { return outcome(t, c.run(nonroot, healthCheck...)) }

	log, end := c.start(entrypoint...)
	if code, says := check(); code != 0 || says != "" {
		t.Errorf("the health check of a well daemon exits with %d and says %s", code, says)
	}
	if code, says := outcome(t, c.command(alone(otherUID), "providerctl", "status", "-o", "name")); code != 0 || !strings.HasPrefix(says, "ollama\n") {
		t.Errorf("another user is told %d, %s", code, says)
	}
	if strings.Contains(log.String(), `"@level":"error"`) {
		t.Error("it complains of the empty image")
	}
	end()
	if code, says := check(); code != 3 || !strings.Contains(says, "providerctl: the daemon is not running") {
		t.Errorf("the health check without a daemon exits with %d and says %s", code, says)
	}

	// What there is no place for is said with what to do.
	bare := newContainer(t, nil).seal()
	for _, tt := range []struct {
		args []string
		says string
	}{
		{[]string{"--system"}, "read-only file system\nproviderd: try: "},
		{nil, "read-only file system\nproviderd: try: "},
	} {
		if code, says := outcome(t, bare.command(nonroot, "providerd", tt.args...)); code != 1 || !strings.Contains(says, tt.says) || !strings.Contains(says, "--state-dir DIR") {
			t.Errorf("%q without a volume: exit code %d, %s", tt.args, code, says)
		}
	}
}

// The volume of a pod, with a client in another container of it, as another user.
func TestContainer_AVolumeThatEverybodyMayWrite(t *testing.T) {
	needRoot(t)
	withOwnRun(t, 0o755)
	c := newContainer(t, map[string]os.FileMode{"/data": 0o777}).seal()
	c.start(slices.Concat(entrypoint, podArgs)...)
	beside := newContainer(t, nil)
	if err := errors.Join(
		os.Mkdir(beside.root+"/data", 0o755), unix.Mount(c.root+"/data", beside.root+"/data", "", unix.MS_BIND, ""),
		unix.Mount("", beside.root+"/data", "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""),
	); err != nil {
		t.Fatal(err)
	}
	for name, cmd := range map[string]*exec.Cmd{
		"HealthCheck": c.run(nonroot, podProbe...),
		"Beside":      beside.run(alone(otherUID), podProbe...),
	} {
		if code, says := outcome(t, cmd); code != 0 {
			t.Errorf("%s: exit code %d, %s", name, code, says)
		}
	}
}

// A container sees the socket that the host's daemon makes anew where the folder is mounted,
// and not where the file is.
func TestContainer_ASharedSocket(t *testing.T) {
	needRoot(t)
	withOwnRun(t, 0o755)
	folder(daemonUID, 0o755)(t, "/run/providerd", "")
	folder(daemonUID, 0o700)(t, "/run/state", "")
	host := func() (end func()) {
		log, end := runDaemon(t, alone(daemonUID), []string{"HOME=/"}, "--system", "--state-dir", "/run/state")
		eventually(t, "the start", func() bool { return strings.Contains(log.String(), "started") })
		return end
	}
	end := host()
	const socket = "/run/providerd/providerd.sock"
	mounted := func(from string, isFile bool) *container {
		c := newContainer(t, nil)
		at := c.root + from
		err := os.MkdirAll(filepath.Dir(at), 0o755)
		if isFile {
			err = errors.Join(err, os.WriteFile(at, nil, 0o644))
		} else {
			err = errors.Join(err, os.Mkdir(at, 0o755))
		}
		if err := errors.Join(err, unix.Mount(from, at, "", unix.MS_BIND, "")); err != nil {
			t.Fatal(err)
		}
		return c
	}
	whole, file := mounted("/run/providerd", false), mounted(socket, true)
	asked := func(c *container, args ...string) (int, string) {
		return outcome(t, c.command(nonroot, "providerctl", append(args, "health", "-q")...))
	}
	if code, says := asked(whole); code != 0 {
		t.Errorf("with its folder: exit code %d, %s", code, says)
	}
	if code, says := asked(file, "--socket", socket); code != 0 {
		t.Errorf("with its file: exit code %d, %s", code, says)
	}
	end()
	host()
	if code, says := asked(whole); code != 0 {
		t.Errorf("with its folder, after a restart: exit code %d, %s", code, says)
	}
	for _, args := range [][]string{{"--socket", socket}, nil} {
		if code, says := asked(file, args...); code != 3 || !strings.Contains(says, "is mounted here as a file") || !strings.Contains(says, "hint: mount its folder /run/providerd instead") {
			t.Errorf("with its file, after a restart, %q: exit code %d, %s", args, code, says)
		}
	}
	if err := os.Mkdir("/run/made", 0o755); err != nil {
		t.Fatal(err)
	}
	madeUp := mounted("/run/made", false)
	if code, says := asked(madeUp, "--socket", "/run/made"); code != 3 || !strings.Contains(says, "makes a folder where the file to mount is not there") {
		t.Errorf("with a folder that the runtime made: exit code %d, %s", code, says)
	}
}
