package ctl_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerd/providerd/ctl"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC // in which times of the day are shown
	goleak.VerifyTestMain(m)
}

// A daemon is a real HTTP server on a socket that answers by a script: for each "METHOD
// /path?query" the replies in turn, and then the last one forever. The last parameter of a
// query can be anything.
type daemon struct {
	socket string
	server *http.Server
	done   chan error

	mu     sync.Mutex
	script map[string][]reply
	asked  []string
	heard  chan string // each request, for a test that waits for one
}

// anything is the value of a query's last parameter, whatever it is.
const anything = "…"

// A reply is a status and a body, which is NDJSON if it has several lines. With hold, a
// stream stays open until its client is gone.
type reply struct {
	status int
	body   string
	stream bool
	hold   bool
	more   chan string // lines that follow while it is held
}

func ok(body string) reply                { return reply{status: 200, body: body} }
func refused(code int, body string) reply { return reply{status: code, body: body} }
func stream(lines ...string) reply {
	return reply{status: 200, body: strings.Join(lines, "\n") + "\n", stream: true}
}

func startDaemon(t *testing.T, script map[string][]reply) *daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &daemon{socket: filepath.Join(dir, "d.sock"), script: script, heard: make(chan string, 1000)}
	d.start(t)
	t.Cleanup(d.stop)
	return d
}

func (d *daemon) start(t *testing.T) {
	t.Helper()
	l, err := net.Listen("unix", d.socket)
	if err != nil {
		t.Fatal(err)
	}
	d.server, d.done = &http.Server{Handler: d}, make(chan error, 1)
	server, done := d.server, d.done
	go func() { done <- server.Serve(l) }()
}

func (d *daemon) stop() {
	if d.server != nil {
		d.server.Close()
		<-d.done
		d.server = nil
	}
}

func (d *daemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	key := strings.TrimSpace(r.Method + " " + r.RequestURI + " " + string(body))
	d.mu.Lock()
	d.asked = append(d.asked, key)
	name := strings.Replace(key, "max_age=250ms", "max_age=1s", 1) // a wait looks closer from its second question on
	if _, ok := d.script[name]; !ok {
		name = name[:strings.LastIndexByte(name, '=')+1] + anything
	}
	replies := d.script[name]
	if len(replies) > 1 {
		d.script[name] = replies[1:]
	}
	d.mu.Unlock()
	d.heard <- key
	answer := refused(404, `{"error":{"code":"unknown_route","message":"no such route: `+r.Method+" "+r.URL.Path+`"}}`)
	if len(replies) > 0 {
		answer = replies[0]
	}
	w.Header().Set("Content-Type", "application/json")
	if answer.stream {
		w.Header().Set("Content-Type", "application/x-ndjson")
	} else if !answer.hold {
		w.Header().Set("Content-Length", strconv.Itoa(len(answer.body)))
	}
	w.WriteHeader(answer.status)
	_, _ = io.WriteString(w, answer.body)
	if answer.hold {
		for {
			w.(http.Flusher).Flush()
			select {
			case line := <-answer.more:
				_, _ = io.WriteString(w, line+"\n")
			case <-r.Context().Done():
				return
			}
		}
	}
}

// requests returns the requests so far, in order.
func (d *daemon) requests() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.asked...)
}

// awaitRequest returns when the next request has come.
func (d *daemon) awaitRequest(t *testing.T) string {
	t.Helper()
	select {
	case key := <-d.heard:
		return key
	case <-time.After(time.Minute):
		t.Fatal("no request came")
		return ""
	}
}

// result is what a command did.
type result struct {
	out, err string
	code     int
}

// anywhere is the output for a user who did not have to name the socket.
func (d *daemon) anywhere(text string) string {
	return strings.ReplaceAll(text, " --socket "+d.socket, "")
}

func (d *daemon) run(t *testing.T, args ...string) result {
	t.Helper()
	r := run(t.Context(), append([]string{"--socket", d.socket}, args...)...)
	return result{d.anywhere(r.out), d.anywhere(r.err), r.code}
}

func run(ctx context.Context, args ...string) result { return runIn(ctx, nil, args...) }

// runIn runs a command with these variables.
func runIn(ctx context.Context, variables map[string]string, args ...string) result {
	var out, err bytes.Buffer
	code := ctl.Main(ctx, ctl.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err,
		Getenv: environment(variables), Version: "v1.2.3",
	})
	return result{out.String(), err.String(), code}
}

// want checks the exit code, and that each stream has the text; an empty text means that
// nothing may be on it.
func (r result) want(t *testing.T, code int, out, err string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	for _, prefix := range []string{"providerctl: ", "hint: ", "error: ", "see: ", "try: ", "note: ", "did you mean: "} {
		if strings.Contains(r.err, prefix+prefix) {
			t.Errorf("%q is said twice:\n%s", prefix, r.err)
		}
	}
	for _, s := range []struct{ name, got, want string }{{"stdout", r.out, out}, {"stderr", r.err, err}} {
		if !strings.Contains(s.got, s.want) || s.want == "" && s.got != "" {
			t.Errorf("%s:\n%swant: %q", s.name, s.got, s.want)
		}
	}
}

// environment is that of a user of UTF-8, with these variables.
func environment(more map[string]string) func(string) string {
	return func(name string) string {
		if value, set := more[name]; set || name != "LANG" {
			return value
		}
		return "C.UTF-8"
	}
}
