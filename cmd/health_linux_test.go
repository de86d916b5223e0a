package cmd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/store/provider"
)

// healthz asks over a new connection, like a new client.
func (p *process) healthz() (status int, h provider.Health) {
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", p.socket)
		},
	}}
	res, err := client.Get("http://localhost/healthz")
	if err != nil {
		return 0, h
	}
	defer res.Body.Close()
	if json.NewDecoder(res.Body).Decode(&h) != nil {
		return 0, h
	}
	return res.StatusCode, h
}

// manyProviders are n providers on one server, which works.
func manyProviders(t *testing.T, n int) string {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	var text strings.Builder
	text.WriteString(patiently)
	for i := range n {
		fmt.Fprintf(&text, "[[provider]]\nid = \"p%d\"\nkind = \"http\"\nbase_url = %q\n", i, fmt.Sprint(server.URL, "/", i))
	}
	return text.String()
}

// blamed are the providers that are neither healthy nor not yet checked.
func (p *process) blamed() []string {
	var reply provider.StatusReply
	p.do("GET", "/api/providers/status", &reply)
	var blamed []string
	for _, st := range reply.Providers {
		switch st.Reason {
		case provider.OK, provider.NotChecked, provider.ProbeFailed:
		default:
			blamed = append(blamed, fmt.Sprint(st.ID, ": ", st.State, " ", st.Reason, " ", st.Detail))
		}
	}
	return blamed
}

// With 24 open files from the start and sixty providers, the daemon reports the problem to
// every client, blames no provider, and probes all of them nevertheless.
func TestPromise9_FewOpenFilesFromTheStart(t *testing.T) {
	t.Parallel()
	p := newProcess(t, manyProviders(t, 60))
	cmd := p.command()
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", `ulimit -n 24; exec "$@"`, "sh"}, cmd.Args...)
	p.started(cmd, cmd.Start())
	status, h := p.healthz()
	if status != http.StatusServiceUnavailable || !strings.Contains(h.Checks["resources"], "the limit of 24 open files") {
		t.Errorf("%d %v", status, h)
	}
	p.until(func() bool {
		status, h := p.healthz()
		if status != http.StatusServiceUnavailable || h.Checks["resources"] == "ok" {
			t.Fatalf("%d %v", status, h)
		}
		var reply provider.StatusReply
		p.do("GET", "/api/providers/status", &reply)
		for _, st := range reply.Providers {
			if st.State != provider.StateRunning {
				return false
			}
		}
		return len(reply.Providers) == 60
	})
	if blamed := p.blamed(); blamed != nil {
		t.Errorf("blamed: %v", blamed)
	}
	p.until(func() bool { return strings.Contains(p.log.String(), `"check":"resources"`) })
	if status := p.do("POST", "/api/daemon/reload", nil); status != http.StatusOK {
		t.Errorf("reload: %d", status)
	}
}

// Whatever takes the last file while the daemon runs: clients are answered, health reports
// it, no provider is blamed, and everything works again afterwards.
func TestPromise9_OpenFilesRunOut(t *testing.T) {
	t.Parallel()
	p := newProcess(t, manyProviders(t, 60)).start()
	p.until(func() bool { status, _ := p.healthz(); return status == http.StatusOK })
	var before unix.Rlimit
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_NOFILE, nil, &before); err != nil {
		t.Skip(err)
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		t.Skip(err)
	}
	few := unix.Rlimit{Cur: uint64(len(files) / 2), Max: before.Max}
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_NOFILE, &few, nil); err != nil {
		t.Skip(err)
	}
	p.http.CloseIdleConnections()
	p.do("POST", "/api/providers/refresh?force=1", nil)
	for range 50 { // each is accepted with a file from the reserve
		if status, h := p.healthz(); status != http.StatusServiceUnavailable || !strings.Contains(h.Checks["resources"], "open files") {
			t.Fatalf("%d %v\n%s", status, h, p.log)
		}
	}
	if status := p.do("GET", "/api/providers/status?max_age=0s&wait=2s", nil); status == 0 {
		t.Error("a read is not answered")
	}
	if blamed := p.blamed(); blamed != nil {
		t.Errorf("blamed: %v", blamed)
	}
	p.until(func() bool { return strings.Contains(p.log.String(), `"check":"resources"`) })
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_NOFILE, &before, nil); err != nil {
		t.Fatal(err)
	}
	p.until(func() bool { status, _ := p.healthz(); return status == http.StatusOK })
}

// A socket that clients no longer find is created again; existing connections stay.
func TestPromise9_SocketIsMadeAnew(t *testing.T) {
	for name, lose := range map[string]func(socket string) error{
		"Removed": os.Remove,
		"Moved":   func(socket string) error { return os.Rename(socket, socket+".old") },
		"FolderRemoved": func(socket string) error {
			return os.RemoveAll(filepath.Dir(socket))
		},
		"FolderMoved": func(socket string) error {
			return os.Rename(filepath.Dir(socket), filepath.Dir(socket)+".old")
		},
		"FolderMadeAnew": func(socket string) error {
			return errors.Join(os.RemoveAll(filepath.Dir(socket)), os.Mkdir(filepath.Dir(socket), 0o755))
		},
		"DeadOneInItsPlace": func(socket string) error {
			if err := os.Remove(socket); err != nil {
				return err
			}
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
			if err != nil {
				return err
			}
			l.SetUnlinkOnClose(false)
			return l.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProcess(t, hungConfig(t)).start()
			if status := p.do("GET", "/healthz", nil); status != http.StatusOK { // a connection that is kept
				t.Fatalf("%d", status)
			}
			if err := lose(p.socket); err != nil {
				t.Fatal(err)
			}
			if status := p.do("GET", "/api/daemon", nil); status != http.StatusOK {
				t.Errorf("who was connected gets %d", status)
			}
			out, err := exec.Command(program("providerctl"), "--socket", p.socket, "health").CombinedOutput()
			if err != nil && !strings.Contains(string(out), "creates it again") {
				t.Errorf("providerctl says %v\n%s", err, out)
			}
			began := time.Now()
			p.until(func() bool { status, _ := p.healthz(); return status == http.StatusOK })
			t.Logf("after %s", time.Since(began))
			if said := p.log.String(); !strings.Contains(said, "clients cannot find the control socket") || !strings.Contains(said, "listening on the control socket again") {
				t.Error("the log does not tell")
			}
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			<-p.ended
			if _, err := os.Lstat(p.socket); p.err != nil || !os.IsNotExist(err) {
				t.Errorf("it ended with %v, and left %v", p.err, err)
			}
		})
	}
}

// If another daemon listens now, or something else is in the way, the daemon says so: it
// ends, because no client can reach it, or is unhealthy until the way is free.
func TestPromise9_SocketIsAnothers(t *testing.T) {
	t.Run("AnotherDaemon", func(t *testing.T) {
		t.Parallel()
		p := newProcess(t, hungConfig(t)).start()
		p.do("GET", "/healthz", nil)                                                                    // it has checked its new socket
		if err := errors.Join(p.cmd.Process.Signal(syscall.SIGSTOP), os.Remove(p.socket)); err != nil { // or it listens anew before the other starts
			t.Fatal(err)
		}
		other := newProcess(t, hungConfig(t))
		other.socket = p.socket
		other.start()
		if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		<-p.ended
		if want := fmt.Sprintf("another process has taken the control socket: control socket %s: in use by process %d", p.socket, other.cmd.Process.Pid); !strings.Contains(p.log.String(), want) || p.err == nil {
			t.Errorf("it ended with %v, and did not say %q", p.err, want)
		}
		if status, _ := other.healthz(); status != http.StatusOK {
			t.Errorf("the other answers %d", status)
		}
	})
	t.Run("AFile", func(t *testing.T) {
		t.Parallel()
		p := newProcess(t, hungConfig(t)).start()
		p.do("GET", "/healthz", nil)
		if err := errors.Join(os.Remove(p.socket), os.WriteFile(p.socket, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		p.until(func() bool {
			var h provider.Health
			status := p.do("GET", "/healthz", &h)
			return status == http.StatusServiceUnavailable && strings.Contains(h.Checks["socket"], "a file is in the place of the socket")
		})
		if err := os.Remove(p.socket); err != nil {
			t.Fatal(err)
		}
		p.until(func() bool { status, _ := p.healthz(); return status == http.StatusOK })
	})
}
