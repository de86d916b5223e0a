package browsertest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A daemon is a providerd with a folder of its own, which can be stopped and started again.
type daemon struct {
	t      testing.TB
	dir    string
	env    []string
	log    output
	http   *http.Client
	cmd    *exec.Cmd
	ended  chan struct{}
	socket string
	as     *syscall.Credential // the user it runs as; nil for ours
}

// startDaemon starts providerd with this configuration, and returns when it answers.
func startDaemon(t testing.TB, config string, env ...string) *daemon {
	t.Helper()
	d := newDaemon(t, config, env...)
	d.start()
	return d
}

// newDaemon makes the folder of a daemon, which ends with the test.
func newDaemon(t testing.TB, config string, env ...string) *daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "pd") // short: a socket's path has 104 bytes
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, dir: dir, env: env, socket: filepath.Join(dir, "run", "s")}
	if err := os.WriteFile(filepath.Join(dir, "c.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	d.http = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", d.socket)
	}}}
	t.Cleanup(func() {
		d.http.CloseIdleConnections()
		d.stop()
		if t.Failed() {
			t.Logf("providerd's log ends:\n%s", d.log.tail())
		}
		os.RemoveAll(dir)
	})
	return d
}

func (d *daemon) start() {
	d.t.Helper()
	d.cmd = exec.Command(program("providerd"), "--config", filepath.Join(d.dir, "c.toml"), "--socket", d.socket,
		"--state-dir", filepath.Join(d.dir, "state"), "--log-level", "info")
	d.cmd.Env = append(os.Environ(), d.env...)
	d.cmd.Stderr = &d.log
	d.become(d.cmd)
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(d.cmd, d.ended)
	until(d.t, "the daemon answers", func() bool {
		select {
		case <-d.ended:
			d.t.Fatalf("providerd ended:\n%s", d.log.tail())
		default:
		}
		conn, err := net.Dial("unix", d.socket)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// become makes a command run as the daemon's user.
func (d *daemon) become(cmd *exec.Cmd) {
	if d.as != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: d.as}
	}
}

// stop ends it in order.
func (d *daemon) stop() {
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Signal(os.Interrupt)
	<-d.ended
	d.cmd = nil
}

// ask decodes a reply of the control socket into v.
func (d *daemon) ask(method, path string, v any) {
	d.t.Helper()
	req, err := http.NewRequest(method, "http://localhost"+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	res, err := d.http.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode/100 != 2 {
		d.t.Fatalf("%s %s: %s, %v: %s", method, path, res.Status, err, body)
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal(body, v); err != nil {
		d.t.Fatalf("%s %s: %v in %s", method, path, err, body)
	}
}

// A row is what the tests need of a provider's row.
type row struct {
	ID, State, Reason, Detail, Hint string
	LatencyMS                       *float64 `json:"latency_ms"`
	Generation                      int64
	Paused                          bool
}

func (d *daemon) rows() (rows []row) {
	d.t.Helper()
	var reply struct{ Providers []row }
	d.ask("GET", "/api/providers/status", &reply)
	return reply.Providers
}

// settled waits until every provider has been probed once.
func (d *daemon) settled() []row {
	d.t.Helper()
	d.ask("GET", "/api/providers/status?max_age=1h&wait=1m", nil)
	return d.rows()
}

// requests is how many requests the daemon has answered. Reading it is one more.
func (d *daemon) requests() (n int) {
	d.t.Helper()
	res, err := d.http.Get("http://localhost/metrics")
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	found := false
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "providerd_control_requests_total{"); ok {
			_, value, _ := strings.Cut(rest, "} ")
			count, err := strconv.ParseFloat(value, 64)
			if err != nil {
				d.t.Fatal(err)
			}
			n, found = n+int(count), true
		}
	}
	if !found {
		d.t.Fatal("/metrics has no providerd_control_requests_total")
	}
	return n
}

// spelled is a hint of the daemon as a dashboard shows it, with the socket that it was given.
func (d *daemon) spelled(hint string) string {
	return strings.ReplaceAll(hint, "providerctl ", "providerctl --socket "+d.socket+" ")
}

// A dashboard is a running `providerctl dashboard`.
type dashboard struct {
	url string // http://127.0.0.1:PORT/PATH/
	pid int
}

// startDashboard starts the dashboard as a person does, and returns when it has printed its
// address.
func (d *daemon) startDashboard(args ...string) *dashboard {
	d.t.Helper()
	cmd := exec.Command(program("providerctl"), append([]string{"--socket", d.socket, "dashboard", "--no-open"}, args...)...)
	said := new(output)
	cmd.Stderr = said
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil && !d.t.Failed() {
			d.t.Errorf("providerctl dashboard: %v\n%s", err, said.tail())
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		d.t.Fatalf("providerctl dashboard --no-open printed no address: %v\n%s", err, said.tail())
	}
	return &dashboard{url: strings.TrimSuffix(line, "\n"), pid: cmd.Process.Pid}
}

// until polls for what no event reports.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); {
		if time.Now().After(deadline) {
			t.Fatal("it never happened: ", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// output is what a process writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// tail is the end of it.
func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.b.Bytes()[max(0, o.b.Len()-4000):])
}

// get is the status of a plain GET, without a browser; 0 if the connection was closed
// instead of an answer.
func get(url string) (status int, err error) {
	res, err := http.Get(url)
	if errors.Is(err, io.EOF) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("get %s: %w", url, err)
	}
	defer res.Body.Close()
	return res.StatusCode, nil
}
