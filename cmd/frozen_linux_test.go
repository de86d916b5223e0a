package cmd_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/store/provider"
)

// A frozen is a separate file system with the database of p, in a mount namespace that
// nobody else sees. A test can make it hang.
type frozen struct {
	t      *testing.T
	holder *exec.Cmd // keeps the namespace
	root   string    // of the file system, from here
}

// onOwnDisk puts the database of p on an ext4 of its own.
func onOwnDisk(t *testing.T, p *process) *frozen {
	needRoot(t)
	for _, tool := range []string{"unshare", "nsenter", "mount", "mkfs.ext4"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	image, state := filepath.Join(p.dir, "disk"), filepath.Join(p.dir, "state")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 32<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", image).CombinedOutput(); err != nil {
		t.Skipf("mkfs.ext4: %v\n%s", err, out)
	}
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	f := &frozen{t: t}
	f.holder = exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c",
		`mount -o loop "$1" "$2" && chmod 700 "$2" && echo mounted && exec cat`, "sh", image, state)
	stdin, err := f.holder.StdinPipe() // it ends with this test, whatever ends that
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := f.holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.holder.Start(); err != nil {
		t.Skip(err)
	}
	said := make([]byte, len("mounted"))
	if _, err := io.ReadFull(stdout, said); err != nil {
		_ = f.holder.Wait()
		t.Skip("no loop device can be mounted here")
	}
	f.root = fmt.Sprintf("/proc/%d/root%s", f.holder.Process.Pid, state)
	t.Cleanup(func() {
		f.thaw()
		p.kill()
		stdin.Close()
		_ = f.holder.Wait()
	})
	p.as = func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"nsenter", "--mount=" + fmt.Sprintf("/proc/%d/ns/mnt", f.holder.Process.Pid), "--"}, cmd.Args...)
		cmd.Path, cmd.Err = exec.LookPath("nsenter")
	}
	return f
}

func (f *frozen) ioctl(request uint) error {
	dir, err := os.Open(f.root)
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.IoctlSetInt(int(dir.Fd()), request, 0)
}

// freeze makes all writes to the file system wait, like a disk that does not respond. No
// signal ends that.
func (f *frozen) freeze() {
	const FIFREEZE = 0xC0045877
	if err := f.ioctl(FIFREEZE); err != nil {
		f.t.Skipf("freeze: %v", err)
	}
}

func (f *frozen) thaw() {
	const FITHAW = 0xC0045878
	_ = f.ioctl(FITHAW) // it may not be frozen
}

// listenForLife acts as the service manager of p, and receives its signs of life.
func listenForLife(t *testing.T, p *process) (alive chan struct{}) {
	path := filepath.Join(p.dir, "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	alive = make(chan struct{}, 1000)
	go func() {
		for text := make([]byte, 4096); ; {
			n, err := l.Read(text)
			if err != nil {
				return
			}
			if strings.Contains(string(text[:n]), "WATCHDOG=1") {
				alive <- struct{}{}
			}
		}
	}()
	as := p.as
	p.as = func(cmd *exec.Cmd) {
		as(cmd)
		cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=3000000")
	}
	return alive
}

// A disk that does not respond affects only what needs it: reads are answered, health and
// the log report it, SIGTERM is obeyed within three seconds and reports what is lost, and
// nobody else gets the database while a write is in progress.
func TestPromise9_DiskHangs(t *testing.T) {
	t.Parallel()
	p := newProcess(t, hungConfig(t))
	disk := onOwnDisk(t, p)
	alive := listenForLife(t, p)
	p.start()
	p.until(func() bool { status, _ := p.healthz(); return status == http.StatusOK })
	disk.freeze()
	var refused provider.ErrorReply
	if status := p.do("POST", "/api/providers/hung/pause", &refused); status != http.StatusServiceUnavailable {
		t.Errorf("what cannot be saved is answered %d", status)
	}
	database := filepath.Join(p.dir, "state", "providerd.db")
	p.until(func() bool {
		status, h := p.healthz()
		return status == http.StatusServiceUnavailable && strings.HasPrefix(h.Checks["disk"], "a commit to "+database+" has not ended for ")
	})
	p.until(func() bool { return strings.Contains(p.log.String(), `"check":"disk"`) })
	for _, path := range []string{"/api/providers/status", "/api/providers/hung/history", "/api/events", "/api/daemon", "/metrics"} {
		if res, err := p.http.Get("http://localhost" + path); err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("%s: %v %v", path, res, err)
		} else {
			res.Body.Close()
		}
	}
	if status := p.do("GET", "/api/daemon/backup", &refused); status != http.StatusServiceUnavailable || !strings.Contains(refused.Error.Message, "has not ended for") {
		t.Errorf("backup: %d %v", status, refused.Error)
	}

	for len(alive) > 0 {
		<-alive
	}
	p.until(func() bool { return len(alive) >= 2 }) // a restart would repair nothing

	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.until(func() bool { return strings.Contains(p.log.String(), "not saved: ") })
	p.until(func() bool { _, err := os.Lstat(p.socket); return os.IsNotExist(err) })
	p.until(func() bool { // it has ended, except for the thread that waits for the disk
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
		return err == nil && strings.Contains(string(stat), ") Z ")
	})

	next := newProcess(t, hungConfig(t))
	next.dir, next.as = p.dir, p.as
	err := next.command().Run()
	if err == nil || !strings.Contains(next.log.String(), fmt.Sprintf("a providerd that has ended (pid %d,", p.cmd.Process.Pid)) {
		t.Errorf("the next one: %v\n%s", err, next.log)
	}

	disk.thaw()
	<-p.ended
	if p.err == nil {
		t.Error("it lost something, and exits with 0")
	}
	again := newProcess(t, hungConfig(t))
	again.dir, again.as = p.dir, p.as
	again.start()
	again.kill()
}
