//go:build linux

package main

import (
	"bufio"
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
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/providerd/providerd/store/provider"
)

const (
	startTime  = 20 * time.Second // for a daemon to answer, on a busy machine
	answerTime = 5 * time.Second  // for a plain read
	endTime    = 3*time.Second + 2*time.Second
)

// A daemon is a providerd with its own folder. Its state can be elsewhere.
type daemon struct {
	dir, state, socket, config string
	bin                        string
	before                     []string // the command that runs it, such as strace with its flags
	log                        *lines
	http                       *http.Client
	cmd                        *exec.Cmd
	ended                      chan struct{}

	mu   sync.Mutex
	past []life // the last one may not have ended
}

func (b *bench) newDaemon(dir, config string) (*daemon, error) {
	d := &daemon{
		dir: dir, state: filepath.Join(dir, "state"), config: filepath.Join(dir, "providerd.toml"),
		socket: filepath.Join(dir, "run", "s"), bin: filepath.Join(b.bin, "providerd"), log: new(lines),
	}
	d.http = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", d.socket)
		},
	}}
	return d, os.WriteFile(d.config, []byte(config), 0o600)
}

func (d *daemon) database() string { return filepath.Join(d.state, "providerd.db") }

// start starts the daemon, and returns when it answers.
func (d *daemon) start(b *bench) error {
	if err := d.launch(); err != nil {
		return err
	}
	return d.answers(b)
}

// launch starts the daemon.
func (d *daemon) launch() error {
	args := append(d.before, d.bin, "--config", d.config, "--socket", d.socket, "--state-dir", d.state, "--log-level", "info")
	d.cmd = exec.Command(args[0], args[1:]...)
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := d.cmd.Start(); err != nil {
		return err
	}
	cmd, ended := d.cmd, make(chan struct{})
	d.ended = ended
	d.mu.Lock()
	at := len(d.past)
	d.past = append(d.past, life{began: began})
	d.mu.Unlock()
	go func() {
		_ = cmd.Wait()
		d.mu.Lock()
		d.past[at].ended = time.Now()
		d.mu.Unlock()
		close(ended)
	}()
	return nil
}

// lives are those of the daemon so far, of which the last one lasts until now.
func (d *daemon) lives() []life {
	d.mu.Lock()
	defer d.mu.Unlock()
	lives := slices.Clone(d.past)
	for i := range lives {
		if lives[i].ended.IsZero() {
			lives[i].ended = time.Now()
		}
	}
	return lives
}

// answers waits until a daemon that was launched answers.
func (d *daemon) answers(b *bench) error {
	if !d.until(b, startTime, func() bool {
		status, err := d.get("/healthz", nil)
		return err == nil && status != 0
	}) {
		if d.running() {
			d.kill()
			return fmt.Errorf("no answer %s after the start: %s", startTime, d.log.last())
		}
		return fmt.Errorf("ended during the start: %s", d.log.last())
	}
	return nil
}

// until repeats a check until it succeeds. It reports false if that takes too long or the
// daemon has ended.
func (d *daemon) until(b *bench, limit time.Duration, so func() bool) bool {
	for deadline := time.Now().Add(limit); !so(); {
		if time.Now().After(deadline) || !d.running() {
			return false
		}
		if !b.wait(5 * time.Millisecond) {
			return false
		}
	}
	return true
}

// wait reports false if the run is interrupted meanwhile.
func (b *bench) wait(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-b.ctx.Done():
		return false
	}
}

func (d *daemon) running() bool {
	if d.cmd == nil {
		return false
	}
	select {
	case <-d.ended:
		return false
	default:
		return true
	}
}

// killNow is kill -9, also of the command that runs it; terminate is SIGTERM.
func (d *daemon) killNow()   { _ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL) }
func (d *daemon) terminate() { _ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGTERM) }

// kill returns when the daemon is gone, unless the kernel keeps it because of a hanging disk.
func (d *daemon) kill() {
	if d.running() {
		d.killNow()
		select {
		case <-d.ended:
		case <-time.After(startTime): // a frozen disk keeps it
		}
	}
	d.http.CloseIdleConnections()
}

// term asks the daemon to end, and fails if it does not in time.
func (d *daemon) term() error {
	if !d.running() {
		return nil
	}
	defer d.http.CloseIdleConnections()
	d.terminate()
	select {
	case <-d.ended:
		return nil
	case <-time.After(endTime):
		d.kill()
		return fmt.Errorf("still runs %s after SIGTERM: %s", endTime, d.log.last())
	}
}

// do sends a request, and decodes the answer unless into is nil.
func (d *daemon) do(method, path string, into any) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, http.NoBody)
	if err != nil {
		return 0, err
	}
	res, err := d.http.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || into == nil || res.StatusCode >= 300 && res.StatusCode != http.StatusServiceUnavailable {
		return res.StatusCode, err
	}
	return res.StatusCode, json.Unmarshal(body, into)
}

func (d *daemon) get(path string, into any) (int, error) { return d.do("GET", path, into) }

// errGone is a 410.
var errGone = errors.New("events_gone")

// A heard event comes from a stream. It can also be a line that says that events are missing
// before the next.
type heard struct {
	provider.Event
	gap bool
}

// events calls see with each event after since, or with all that are kept, and returns when
// the stream ends. A truncated line does not count as seen.
func (d *daemon) events(query string, see func(heard)) error {
	res, err := d.http.Get("http://localhost/api/events" + query)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusGone {
		return errGone
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET /api/events%s: %s", query, res.Status)
	}
	for lines := bufio.NewReader(res.Body); ; {
		text, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var e struct {
			Type string `json:"type"`
			heard
		}
		if err := json.Unmarshal(text, &e); err != nil {
			return fmt.Errorf("event %q: %w", text, err)
		}
		switch e.Type {
		case "heartbeat", "end":
		case "":
			see(e.heard)
		default:
			see(heard{gap: true})
		}
	}
}

// A health is the answer of /healthz, and the newest event at that time.
type health struct {
	status int
	checks map[string]string
	seq    uint64
	err    error
}

func (d *daemon) health() (h health) {
	var reply provider.Health
	h.status, h.err = d.get("/healthz", &reply)
	h.checks = reply.Checks
	var status provider.StatusReply
	if h.err == nil {
		_, h.err = d.get("/api/providers/status", &status)
	}
	h.seq = status.Seq
	return h
}

// lines are the last lines of a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text.Len() > 1<<20 {
		rest := l.text.String()[1<<19:]
		l.text.Reset()
		l.text.WriteString(rest)
	}
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// last is the last line.
func (l *lines) last() string {
	text := strings.TrimSpace(l.String())
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// after is what was logged after that many bytes.
func (l *lines) after(from int) string {
	text := l.String()
	return text[min(from, len(text)):]
}

// warned reports whether the log has a warning or an error after that many bytes.
func (l *lines) warned(from int) bool {
	text := l.after(from)
	return strings.Contains(text, "[WARN]") || strings.Contains(text, "[ERROR]") ||
		strings.Contains(text, `"warn"`) || strings.Contains(text, `"error"`)
}
