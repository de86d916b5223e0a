package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// running is a daemon in this process, and a client of its socket.
type running struct {
	t    *testing.T
	dir  string
	log  *safeBuffer
	http *http.Client

	end   context.CancelFunc
	stop  func()        // ends it and waits; so does the end of the test
	ended chan struct{} // closed when err is what Run returned
	err   error
	swept chan struct{}

	description func() *description
}

// runDaemon starts a daemon on that configuration and ends it with the test.
func runDaemon(t *testing.T, text string, env map[string]string) *running {
	r := startDaemon(t, text, env, nil)
	r.awaitSweep()
	return r
}

// startDaemon does not wait for the first sweep; change, unless nil, may change the options and
// the folder before the daemon starts.
func startDaemon(t *testing.T, text string, env map[string]string, change func(o *Options, dir string)) *running {
	dir, err := os.MkdirTemp("", "pd") // short: a socket's path has 104 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return startDaemonIn(t, dir, text, env, change)
}

// runDaemonIn starts a daemon in a folder that may have the state of another one.
func runDaemonIn(t *testing.T, dir, text string, env map[string]string) *running {
	r := startDaemonIn(t, dir, text, env, nil)
	r.awaitSweep()
	return r
}

func startDaemonIn(t *testing.T, dir, text string, env map[string]string, change func(o *Options, dir string)) *running {
	r := &running{t: t, dir: dir, log: &safeBuffer{}, ended: make(chan struct{})}
	if err := os.WriteFile(filepath.Join(dir, "c.toml"), []byte(inFleet(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	outside := config.OSEnv()
	outside.Getenv = func(name string) string { return env[name] }
	ready := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	r.end = cancel
	o := Options{
		Version: "test", ConfigPath: filepath.Join(dir, "c.toml"), Socket: filepath.Join(dir, "s"),
		StateDir: filepath.Join(dir, "state"), LogLevel: "debug", LogJSON: true, LogTo: r.log, Env: outside,
		FirstSweep: func(provider.StatusReply) { close(ready) },
	}
	if change != nil {
		change(&o, dir)
	}
	go func() {
		r.err = Run(ctx, o)
		close(r.ended)
	}()
	r.http = &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 100,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, "s"))
		},
	}}
	r.description = sync.OnceValue(r.describe)
	r.stop = sync.OnceFunc(func() {
		r.http.CloseIdleConnections()
		cancel()
		<-r.ended
		if r.err != nil {
			t.Error(r.err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", r.log)
		}
	})
	t.Cleanup(r.stop)
	r.swept = ready
	return r
}

// awaitSweep waits until every provider has been probed.
func (r *running) awaitSweep() {
	r.t.Helper()
	select {
	case <-r.swept:
		r.awaitMode()
	case <-r.ended:
		r.t.Fatalf("the daemon ended: %v", r.err)
	}
}

// call sends a request to the socket, and decodes the reply into v unless that is nil.
func (r *running) call(method, path string, v any) (status int, body string) {
	res, body := r.ask(method, path, "")
	if res == nil {
		return 0, ""
	}
	if v != nil {
		if err := json.Unmarshal([]byte(body), v); err != nil {
			r.t.Errorf("%s %s: %v in %s", method, path, err, body)
		}
	}
	return res.StatusCode, body
}

// ask sends a request and reads the reply, which must match the description.
func (r *running) ask(method, path, body string) (*http.Response, string) {
	req, err := http.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := r.http.Do(req)
	if err != nil {
		r.t.Errorf("%s %s: %v", method, path, err)
		return nil, ""
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Errorf("%s %s: %v", method, path, err)
	}
	if path != "/api/openapi.json" { // the description itself
		if err := r.description().check(res, string(raw)); err != nil {
			r.t.Errorf("%s %s: %v", method, path, err)
		}
	}
	return res, string(raw)
}

// rewrite replaces the configuration file.
func (r *running) rewrite(text string) {
	if err := os.WriteFile(filepath.Join(r.dir, "c.toml"), []byte(inFleet(text)), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// until polls for something that causes no event.
func (r *running) until(done func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); {
		if time.Now().After(deadline) {
			r.t.Fatal("it never came")
		}
		<-time.After(time.Millisecond)
	}
}

// safeBuffer can be written by the daemon while a test reads it.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
