//go:build unix

package cmd_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A command that waits, or has something to undo, handles ctrl-C: one that ends in no other
// way exits 0, and any other 130. A simple request is killed by it, which a shell also
// reports as 130.
func TestInterrupt(t *testing.T) {
	const (
		row   = `{"id":"a","state":"RUNNING","reason":"ok","ttl_ms":1000}`
		stale = `{"id":"a","state":"RUNNING","reason":"ok","ttl_ms":1000,"stale":true}`
		down  = `{"providers":[{"id":"a","type":"local","state":"STOPPED","reason":"not_checked","stale":true}]}`
		died  = -1 // by the signal
	)
	for args, tc := range map[string]struct {
		replies []string // in turn; no reply comes after the last one
		code    int
	}{
		"events --follow":     {nil, 0},
		"logs --follow":       {nil, 0},
		"status --watch":      {[]string{`{"providers":[` + row + `]}`}, 0},
		"status --max-age 0s": {nil, 130},
		"refresh --wait":      {nil, 130},
		"wait a":              {nil, 130},
		"is-running a":        {[]string{stale}, 130},
		"pick":                {[]string{down}, 130},
		"pick a":              {[]string{down, down}, 130}, // after it has waited
		"run --wait 60s -- x": {nil, 130},
		"models":              {[]string{down, down}, 130},       // likewise
		"models a":            {[]string{down, down, down}, 130}, // likewise, while the list is read
		"models --refresh":    {nil, 130},
		"models a --refresh":  {[]string{`{"providers":[` + row + `]}`}, 130},
		"diagnose a":          {nil, 130},
		"discover -o json":    {nil, 130},
		"backup new.db":       {nil, 130},
		"status":              {nil, died},
		"pause a":             {nil, died},
		"events":              {nil, died},
	} {
		t.Run(args, func(t *testing.T) {
			held := make(chan struct{}, 10)
			socket := serveReplies(t, tc.replies, held)
			cmd := exec.Command(program("providerctl"), append([]string{"--socket", socket}, strings.Fields(args)...)...)
			cmd.Dir = t.TempDir()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-held
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if signaled := status.Signaled() && status.Signal() == syscall.SIGINT; signaled != (tc.code == died) || cmd.ProcessState.ExitCode() != tc.code {
				t.Errorf("%v, want exit code %d", cmd.ProcessState, tc.code)
			}
			if left, err := os.ReadDir(cmd.Dir); err != nil || len(left) > 0 {
				t.Errorf("%v was left behind (%v)", left, err)
			}
		})
	}
}

// Closing the terminal ends a command like ctrl-C: nothing is left behind.
func TestInterrupt_Hangup(t *testing.T) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP) // a child has the default then, also below nohup
	defer signal.Stop(caught)
	held := make(chan struct{}, 10)
	cmd := exec.Command(program("providerctl"), "--socket", serveReplies(t, nil, held), "backup", "new.db")
	cmd.Dir = t.TempDir()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-held
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("%v, want exit code 130", cmd.ProcessState)
	}
	if left, err := os.ReadDir(cmd.Dir); err != nil || len(left) > 0 {
		t.Errorf("%v was left behind (%v)", left, err)
	}
}

// A signal that the parent set to be ignored does not end a command.
func TestInterrupt_Ignored(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	socket := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-answer
		_, _ = io.WriteString(w, `{"providers":[]}`)
	})
	cmd := exec.Command("/bin/sh", "-c", `trap "" INT HUP; exec "$0" "$@"`, program("providerctl"), "--socket", socket, "status", "--max-age", "0s")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	close(answer)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// serveReplies answers with the replies in turn. Later requests get no answer until their
// client is gone; held reports each of them.
func serveReplies(t *testing.T, replies []string, held chan<- struct{}) (socket string) {
	next := make(chan string, len(replies))
	for _, reply := range replies {
		next <- reply
	}
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case reply := <-next:
			_, _ = io.WriteString(w, reply)
		default:
			held <- struct{}{}
			<-r.Context().Done()
		}
	})
}

// serve answers on a socket.
func serve(t *testing.T, answer http.HandlerFunc) (socket string) {
	dir, err := os.MkdirTemp("", "pd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: answer}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return socket
}
