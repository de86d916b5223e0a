package client_test

import (
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// socketPath returns a path short enough for a socket on every system.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "d.sock")
}

// serve answers with a real HTTP server on a socket of its own.
func serve(t *testing.T, handler http.HandlerFunc) *client.Client {
	t.Helper()
	path := socketPath(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return &client.Client{Socket: path, DialPatience: -1}
}

// serveBytes answers each connection with the same bytes and closes it.
func serveBytes(t *testing.T, reply string) *client.Client {
	t.Helper()
	path := socketPath(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			// The request is read first: closing on unread bytes would be a reset.
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = conn.Write([]byte(reply))
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return &client.Client{Socket: path, DialPatience: -1}
}

// wantCode checks that err carries the code, a message and a hint.
func wantCode(t *testing.T, err error, code provider.Code) *provider.Error {
	t.Helper()
	var e *provider.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T), want a provider.Error", err, err)
	}
	if e.Code != code || e.Message == "" {
		t.Fatalf("error %+v, want code %s", *e, code)
	}
	return e
}
