package daemon

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/systemd"
	"github.com/providerd/providerd/store/provider"
)

// A manager is a service manager that listens to a daemon.
type manager struct {
	t    *testing.T
	name string
	conn *net.UnixConn
}

func newManager(t *testing.T, name string) *manager {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &manager{t, name, conn}
}

// hears waits for the next message and returns it.
func (m *manager) hears() string {
	m.t.Helper()
	message := make([]byte, 4096)
	if err := m.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		m.t.Fatal(err)
	}
	n, err := m.conn.Read(message)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(message[:n])
}

// heard returns the next message if it has already arrived; a message has arrived when its
// sender continues.
func (m *manager) heard() (text string, ok bool) {
	m.t.Helper()
	raw, err := m.conn.SyscallConn()
	if err != nil {
		m.t.Fatal(err)
	}
	message := make([]byte, 4096)
	_ = m.conn.SetReadDeadline(time.Time{}) // an old one would be an error
	err = raw.Read(func(fd uintptr) bool {
		n, _, err := syscall.Recvfrom(int(fd), message, syscall.MSG_DONTWAIT)
		if ok = err == nil; ok {
			text = string(message[:n])
		}
		return true
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return text, ok
}

// heardNothing checks that no message has arrived yet.
func (m *manager) heardNothing() {
	m.t.Helper()
	if text, ok := m.heard(); ok {
		m.t.Errorf("heard %q", text)
	}
}

// until returns the first message that contains a text.
func (m *manager) until(part string) string {
	m.t.Helper()
	for {
		if text := m.hears(); strings.Contains(text, part) {
			return text
		}
	}
}

func abstract(t *testing.T) string {
	return fmt.Sprintf("@providerd-test-%d-%s", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "-"))
}

func servers(t *testing.T) (text string) {
	well := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(well.Close)
	ill := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	t.Cleanup(ill.Close)
	return httpProvider("well", well.URL) + "interval = \"24h\"\n" + httpProvider("ill", ill.URL) + "interval = \"24h\"\n"
}

// The manager is notified of each step of a daemon's life, and of its status in between.
func TestService_HearsOfTheLife(t *testing.T) {
	m := newManager(t, abstract(t))
	text := servers(t)
	r := startDaemon(t, text, nil, func(o *Options, _ string) { o.Service.Notify = m.name })
	if got := m.hears(); !strings.HasPrefix(got, "READY=1\nSTATUS=2 providers: ") {
		t.Errorf("first it hears %q", got)
	}
	if status, body := r.call("GET", "/api/providers/status", nil); status != 200 {
		t.Errorf("ready, and a read answers %d %s", status, body)
	}
	// The message before may already say so.
	r.awaitSweep()
	const counts = "2 providers: 1 running, 1 error"
	reload := func(want int, status string) {
		t.Helper()
		if got, body := r.call("POST", "/api/daemon/reload", nil); got != want {
			t.Errorf("reload answers %d %s", got, body)
		}
		if got := m.until("RELOADING=1"); !strings.Contains(got, "\nMONOTONIC_USEC=") {
			t.Errorf("at a reload it hears %q", got)
		}
		if got := m.until("READY=1"); got != "READY=1\nSTATUS="+status {
			t.Errorf("after a reload it hears %q, want the status %q", got, status)
		}
	}
	reload(200, counts)
	r.rewrite("nonsense")
	reload(422, counts+"; the last reload was refused, configuration unchanged (see: providerctl reload)")
	r.rewrite(text)
	reload(200, counts)

	r.end()
	if got := m.until("STOPPING"); got != "STOPPING=1" {
		t.Errorf("at the end it hears %q", got)
	}
	<-r.ended
	m.heardNothing()
}

// A change of the counts is sent without any request.
func TestService_StatusFollowsTheProviders(t *testing.T) {
	m := newManager(t, filepath.Join(t.TempDir(), "notify"))
	startDaemon(t, servers(t), nil, func(o *Options, _ string) { o.Service.Notify = m.name })
	m.until("STATUS=2 providers: 1 running, 1 error")
}

// A start that fails says why.
func TestService_HearsWhyNotStarted(t *testing.T) {
	m := newManager(t, abstract(t))
	err := Run(t.Context(), Options{ConfigPath: "/nowhere.toml", LogTo: io.Discard, Service: given(m)})
	if err == nil {
		t.Fatal("it ran")
	}
	if got := m.hears(); !strings.HasPrefix(got, "STOPPING=1\nSTATUS=") || !strings.Contains(got, "/nowhere.toml") {
		t.Errorf("heard %q", got)
	}
}

// READY is sent after a read has been answered, and not before.
func TestService_ReadyWhenAReadIsAnswered(t *testing.T) {
	m := newManager(t, abstract(t))
	var stand net.Listener
	r := startDaemon(t, servers(t), nil, func(o *Options, dir string) {
		o.Service = given(m)
		o.Service.Sockets = []*os.File{pass(t, filepath.Join(dir, "s"), 0o600)}
		if err := os.Rename(filepath.Join(dir, "s"), filepath.Join(dir, "real")); err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("unix", filepath.Join(dir, "s")) // the daemon reads through our socket
		if err != nil {
			t.Fatal(err)
		}
		stand = l
	})
	defer stand.Close()
	for _, answer := range []string{"", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"} {
		nc, err := stand.Accept()
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.ReadRequest(bufio.NewReader(nc))
		if err != nil || req.URL.Path != "/api/providers/status" {
			t.Errorf("asked for %v, %v", req, err)
		}
		m.heardNothing()
		io.WriteString(nc, answer)
		nc.Close()
	}
	m.until("READY=1")
	r.end()
}

// The inherited socket answers clients that connected before the start, and stays as it is.
func TestService_InheritedSocket(t *testing.T) {
	m := newManager(t, abstract(t))
	var path string
	var early net.Conn
	var before os.FileInfo
	var owner *net.UnixListener
	r := startDaemon(t, servers(t), nil, func(o *Options, dir string) {
		path = filepath.Join(dir, "mine")
		f := pass(t, path, 0o640)
		l, err := net.FileListener(f)
		if err != nil {
			t.Fatal(err)
		}
		owner = l.(*net.UnixListener)
		o.Service = given(m)
		o.Service.Sockets = []*os.File{f}
		if before, err = os.Lstat(path); err != nil {
			t.Fatal(err)
		}
		if early, err = net.Dial("unix", path); err != nil {
			t.Fatal(err)
		}
		io.WriteString(early, "GET /api/daemon HTTP/1.1\r\nHost: localhost\r\n\r\n")
	})
	defer owner.Close()
	defer early.Close()
	res, err := http.ReadResponse(bufio.NewReader(early), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var info provider.DaemonInfo
	if err := json.NewDecoder(res.Body).Decode(&info); err != nil || info.Socket != path {
		t.Errorf("who came early hears of the socket %q, %v", info.Socket, err)
	}
	m.until("READY=1")
	early.Close()
	r.end()
	<-r.ended
	after, err := os.Lstat(path)
	if err != nil || !os.SameFile(before, after) || before.Mode() != after.Mode() {
		t.Errorf("it was %v, and is %v, %v", before, after, err)
	}
	if nc, err := net.Dial("unix", path); err != nil { // for the next daemon
		t.Error(err)
	} else {
		nc.Close()
	}
}

func TestService_RefusesSocketsThatItCannotServe(t *testing.T) {
	dir := t.TempDir()
	err := Run(t.Context(), Options{
		StateDir: filepath.Join(dir, "state"), LogTo: io.Discard,
		Service: sockets(pass(t, filepath.Join(dir, "a"), 0o600), pass(t, filepath.Join(dir, "b"), 0o600)),
	})
	var hinted interface{ Hint() string }
	if err == nil || !strings.Contains(err.Error(), "2 sockets") || !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "ListenStream=") {
		t.Errorf("got %v", err)
	}
}

// The watchdog is notified while the daemon commits and answers at its socket, which another
// process takes over here.
func TestService_Watchdog(t *testing.T) {
	m := newManager(t, abstract(t))
	r := startDaemon(t, servers(t), nil, func(o *Options, _ string) {
		o.Service = given(m)
		o.Service.Watchdog = 1500 * time.Millisecond
	})
	commits := func() uint64 {
		var info provider.DaemonInfo
		r.call("GET", "/api/daemon", &info)
		return info.Counters.Commits
	}
	m.until("WATCHDOG=1")
	before := commits()
	for range 3 {
		m.until("WATCHDOG=1")
	}
	if got := commits(); got < before+2 {
		t.Errorf("fed thrice with %d commits", got-before)
	}
	r.http.CloseIdleConnections()
	path := filepath.Join(r.dir, "s")
	if err := os.Rename(path, path+"2"); err != nil {
		t.Fatal(err)
	}
	deaf, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	checked := func() { // a check has begun that will get no answer
		t.Helper()
		if err := deaf.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		nc, err := deaf.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
	}
	wrong := func() int { return strings.Count(r.log.String(), "watchdog self-check failed") }
	checked() // earlier ones may have succeeded
	said := wrong()
	for more := true; more; {
		_, more = m.heard() // sent before
	}
	checked()
	checked()
	for text, more := m.heard(); more; text, more = m.heard() {
		if strings.Contains(text, "WATCHDOG") {
			t.Errorf("nobody answers, and it hears %q", text)
		}
	}
	if again := wrong(); again == 0 || again > said+1 {
		t.Errorf("what is wrong twice was logged %d times, after %d", again-said, said)
	}
	deaf.Close() // which removes its file
	if err := os.Rename(path+"2", path); err != nil {
		t.Fatal(err)
	}
	m.until("WATCHDOG=1")
}

// given is what a manager with notifications passes on.
func given(m *manager) systemd.Given { return systemd.Given{Notify: m.name} }

// sockets is what a manager passes on that only makes sockets.
func sockets(files ...*os.File) systemd.Given { return systemd.Given{Sockets: files} }

// pass makes a socket as a manager does before it starts the daemon.
func pass(t *testing.T, path string, mode os.FileMode) *os.File {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	return f
}
