package cmd_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/store/provider"
)

// hangingFiles is a folder in which every access waits, as on a network file system whose
// server is gone: a FUSE whose server does not answer until it is told to end. Only p, and
// processes started like it, see the folder.
func hangingFiles(t *testing.T, p *process) (folder string, end func()) {
	needRoot(t)
	if _, err := exec.LookPath("nsenter"); err != nil {
		t.Skip(err)
	}
	dir := filepath.Join(p.dir, "hanging")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	server := exec.Command("/proc/self/exe", dir)
	server.Env = append(os.Environ(), roleVariable+"=hang")
	server.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	stdin, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Skip(err)
	}
	said, err := io.ReadAll(io.LimitReader(stdout, int64(len("mounted"))))
	if string(said) != "mounted" {
		_ = server.Wait()
		t.Skipf("no FUSE here: %v", err)
	}
	end = sync.OnceFunc(func() {
		stdin.Close() // all waits end with the server
		_ = server.Wait()
	})
	t.Cleanup(end)
	p.as = func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"nsenter", fmt.Sprintf("--mount=/proc/%d/ns/mnt", server.Process.Pid), "--"}, cmd.Args...)
		cmd.Path, cmd.Err = exec.LookPath("nsenter")
	}
	return dir, end
}

// playHang mounts a FUSE and answers none of its requests until its standard input ends.
func playHang() {
	fuse, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fuse.Fd())
	if unix.Mount("hanging", os.Args[1], "fuse", 0, options) != nil {
		return
	}
	fmt.Print("mounted")
	_, _ = io.Copy(io.Discard, os.Stdin)
	fuse.Close()
}

// Files that hang affect only what needs them: a reload is refused, a plug-in's row says
// that its check broke, and SIGTERM is obeyed.
func TestPromise9_FilesHang(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	well := fmt.Sprintf(patiently+"[[provider]]\nid = \"well\"\nkind = \"http\"\nbase_url = %q\ninterval = \"1s\"\n", server.URL)
	p := newProcess(t, well)
	dir, end := hangingFiles(t, p)
	p.start()
	p.write(well + fmt.Sprintf("[[provider]]\nid = \"keyed\"\nkind = \"openai\"\napi_key_file = %q\n", filepath.Join(dir, "key")))
	for range 3 { // the third need not even be begun
		var refused provider.ErrorReply
		if status := p.do("POST", "/api/daemon/reload", &refused); status != http.StatusUnprocessableEntity ||
			!strings.Contains(refused.Error.Message, "reading the configuration has not ended for") {
			t.Errorf("reload: %d %v", status, refused.Error)
		}
	}
	if status, h := p.healthz(); status != http.StatusServiceUnavailable || !strings.HasPrefix(h.Checks["disk"], "reading the configuration has not ended for") {
		t.Errorf("health: %d %v", status, h)
	}
	var row provider.Status
	if status := p.do("GET", "/api/providers/well?max_age=0s&wait=5s", nil); status == 0 {
		t.Error("a read is not answered")
	}

	check := filepath.Join(dir, "check")
	plugin := newProcess(t, well+fmt.Sprintf("[[provider]]\nid = \"plugin\"\nkind = \"exec\"\ncommand = [%q]\ntimeout = \"1s\"\ninterval = \"1s\"\n", check))
	plugin.as = p.as
	plugin.start()
	plugin.until(func() bool {
		plugin.do("GET", "/api/providers/plugin", &row)
		return row.Reason == provider.ProbeFailed && strings.HasPrefix(row.Detail, "reading "+check+" has not ended for")
	})
	plugin.until(func() bool {
		status, h := plugin.healthz()
		return status == http.StatusServiceUnavailable && strings.HasPrefix(h.Checks["disk"], "reading "+check)
	})
	before := row.CheckedAt
	plugin.until(func() bool { // the others continue
		plugin.do("GET", "/api/providers/well", &row)
		return row.Reason == provider.OK && row.CheckedAt.After(before.Time)
	})
	for _, p := range []*process{p, plugin} {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		p.until(func() bool { return strings.Contains(p.log.String(), `"@message":"stopped"`) })
		if _, err := os.Lstat(p.socket); !os.IsNotExist(err) {
			t.Errorf("the socket is left behind: %v", err)
		}
	}
	end() // the kernel keeps the rest of a process while its thread waits
	for _, p := range []*process{p, plugin} {
		<-p.ended
		if p.err != nil {
			t.Error(p.err)
		}
	}
}

// A start that waits for files that hang says what it waits for, and SIGTERM is obeyed.
func TestPromise9_TheStartHangs(t *testing.T) {
	for name, flag := range map[string]string{"Configuration": "--config", "Database": "--state-dir"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProcess(t, hungConfig(t))
			dir, end := hangingFiles(t, p)
			cmd := p.command()
			cmd.Args = append(cmd.Args, flag, filepath.Join(dir, "x"))
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			p.until(func() bool { return strings.Contains(p.log.String(), "start is waiting for the disk") })
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			p.until(func() bool { return strings.Contains(p.log.String(), "has not ended for") })
			end()
			if err := cmd.Wait(); err == nil {
				t.Error("it did not start, and exits with 0")
			}
		})
	}
}
