package ctl_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl"
)

// A waiting is a command that waits, whose messages can be read meanwhile.
type waiting struct {
	result
	spoke chan string
	done  chan struct{}
}

func (w *waiting) Write(b []byte) (int, error) {
	w.err += string(b)
	w.spoke <- string(b)
	return len(b), nil
}

func startWaiting(t *testing.T, args ...string) *waiting {
	w := &waiting{spoke: make(chan string, 100), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		var out bytes.Buffer
		w.code = ctl.Main(t.Context(), ctl.Env{
			Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: w,
			Getenv: environment(nil),
		})
		w.out = out.String()
	}()
	return w
}

func folder(t *testing.T) string {
	dir, err := os.MkdirTemp("", "ctl") // short: a socket's path has 104 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// awaitRequests returns when so many have come, or when the command has ended.
func (d *daemon) awaitRequests(t *testing.T, n int, ended <-chan struct{}) (came int) {
	t.Helper()
	for ; came < n; came++ {
		select {
		case <-d.heard:
		case <-ended:
			return came
		case <-time.After(time.Minute):
			t.Fatal("no request came")
		}
	}
	return came
}

// A command that starts before the daemon waits for it, and says once what for.
func TestWait_ForTheDaemon(t *testing.T) {
	t.Parallel()
	d := &daemon{socket: filepath.Join(folder(t), "d.sock"), script: map[string][]reply{askWait: {rows(ollamaUp)}}, heard: make(chan string, 1000)}
	t.Cleanup(func() { d.stop() })
	w := startWaiting(t, "--socket", d.socket, "wait", "ollama")
	said := <-w.spoke
	d.start(t)
	<-w.done
	w.want(t, 0, "ollama is RUNNING", "not running: no socket at "+d.socket+"; still waiting for ollama")
	if w.err != said {
		t.Errorf("it said more than one line:\n%s", w.err)
	}
}

// A restart of the daemon does not end the wait.
func TestWait_WhileTheDaemonRestarts(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, map[string][]reply{askWait: {rows(ollamaDown), rows(ollamaUp)}})
	w := startWaiting(t, "--socket", d.socket, "wait", "ollama")
	d.awaitRequest(t)
	d.stop()
	<-w.spoke
	d.start(t)
	<-w.done
	w.want(t, 0, "ollama is RUNNING", "still waiting for ollama")
}

// When the time is up, the exit code tells whether the daemon or the provider did not come.
func TestWait_InVain(t *testing.T) {
	t.Parallel()
	leaving := refused(503, `{"error":{"code":"shutting_down","message":"the daemon is shutting down"}}`)
	denied := refused(403, `{"error":{"code":"denied","message":"not for you","hint":"sudo providerctl"}}`)
	t.Run("NoDaemonEverAnswered", func(t *testing.T) {
		t.Parallel()
		absent := filepath.Join(folder(t), "d.sock")
		for timeout := 3 * time.Second; ; timeout *= 2 {
			r := run(t.Context(), "--socket", absent, "wait", "ollama", "--timeout", timeout.String())
			n := strings.Count(r.err, "still waiting")
			if n == 0 && timeout < time.Minute {
				continue // it must have looked in vain well before the time is up
			}
			r.want(t, 3, "", fmt.Sprintf("providerctl: no daemon answered within %v: the daemon is not running: no socket at %s\nproviderctl: hint: start it: providerd --socket %[2]s\n", timeout, absent))
			if n != 1 {
				t.Errorf("it said %d times that it waits:\n%s", n, r.err)
			}
			return
		}
	})
	t.Run("OneThatIsStopped", func(t *testing.T) {
		t.Parallel()
		r := run(t.Context(), "--socket", mute(t), "wait", "ollama", "--timeout", "300ms")
		r.want(t, 3, "", "no daemon answered within 300ms: the daemon did not answer in time\nproviderctl: hint: it may be stopped or stuck: look at its log, or restart it\n")
	})
	t.Run("OneThatIsLoading", func(t *testing.T) { // which needs no hint to wait
		t.Parallel()
		const loading = `{"id":"ollama","state":"STARTING","reason":"loading","hint":"wait for it: providerctl wait ollama --for RUNNING","age_ms":10,"source":"probe"}`
		d := startDaemon(t, map[string][]reply{askShortly: {rows(loading)}})
		d.run(t, "wait", "ollama", "--timeout", "2s").want(t, 6, "", "ollama is still STARTING (loading) after 2s\nproviderctl: hint: give it longer: --timeout 4s\n")
	})
	t.Run("OneThatHasGone", func(t *testing.T) {
		t.Parallel()
		for timeout := 3 * time.Second; ; timeout *= 2 {
			d := startDaemon(t, map[string][]reply{askShortly: {rows(ollamaDown)}})
			w := startWaiting(t, "--socket", d.socket, "wait", "ollama", "--timeout", timeout.String())
			// Whoever asks a second time has taken the first answer in. Where that took all
			// the time, there is no second time.
			if asked := d.awaitRequests(t, 2, w.done); asked < 2 && timeout < time.Minute {
				continue
			}
			d.stop()
			<-w.done
			w.want(t, 6, "", fmt.Sprintf("ollama was STOPPED (connection_refused), and the daemon has been away since; gave up after %v\nproviderctl: hint: start it: providerd --socket %s\n", timeout, d.socket))
			return
		}
	})
	t.Run("OneThatIsStoppedMeanwhile", func(t *testing.T) {
		t.Parallel()
		for timeout := 4 * time.Second; ; timeout *= 2 {
			d := startDaemon(t, map[string][]reply{askShortly: {rows(ollamaDown), {status: 200, hold: true}}})
			got := d.run(t, "wait", "ollama", "--timeout", timeout.String())
			if timeout < time.Minute && !strings.Contains(got.err, "ollama was") {
				continue // its first answer must come well before the time is up
			}
			got.want(t, 6, "", fmt.Sprintf("ollama was STOPPED (connection_refused), and the daemon has not answered since; gave up after %v\nproviderctl: hint: it may be stopped or stuck", timeout))
			return
		}
	})
	t.Run("OneThatOnlyLeaves", func(t *testing.T) {
		t.Parallel()
		for timeout := 300 * time.Millisecond; ; timeout *= 2 {
			d := startDaemon(t, map[string][]reply{askShortly: {leaving}})
			got := d.run(t, "wait", "ollama", "--timeout", timeout.String())
			if timeout < time.Minute && strings.Contains(got.err, "the daemon did not answer in time") {
				continue // its first answer must come before the time is up
			}
			got.want(t, 6, "", fmt.Sprintf("ollama was not checked within %v", timeout))
			return
		}
	})
	t.Run("OneThatDenies", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, map[string][]reply{askWait: {denied}})
		d.run(t, "wait", "ollama").want(t, 4, "", "not for you\nproviderctl: hint: sudo providerctl\n")
	})
	t.Run("NoSocketAtAll", func(t *testing.T) { // which no daemon would replace
		t.Parallel()
		file := filepath.Join(folder(t), "d.sock")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		run(t.Context(), "--socket", file, "wait", "ollama").want(t, 3, "", "is not a socket")
	})
}

// A stopped daemon is given little more than the given time.
func TestRefresh_OfAStoppedDaemon(t *testing.T) {
	t.Parallel()
	run(t.Context(), "--socket", mute(t), "refresh", "ollama", "--timeout", "500ms").want(t, 6, "", "did not answer within 2.5s")
	run(t.Context(), "--socket", mute(t), "diagnose", "ollama", "--timeout", "500ms").want(t, 6, "", "did not answer within 2.5s")
}

// mute is the socket of a stopped daemon: the kernel accepts, but nobody answers.
func mute(t *testing.T) (socket string) {
	socket = filepath.Join(folder(t), "d.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return socket
}
