package control_test

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/store/provider"
)

// held shuts down a net/http server whose only connection is silent, and signals when that is
// done.
func held(t *testing.T) <-chan error {
	t.Helper()
	socket := filepath.Join(filepath.Dir(filepath.Dir(socketPath(t))), "held")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	connected, done := make(chan struct{}), make(chan error, 1)
	once := sync.OnceFunc(func() { close(connected) })
	s := &http.Server{}
	s.ConnState = func(net.Conn, http.ConnState) { once() }
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	silent, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	<-connected
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- s.Shutdown(ctx) }()
	t.Cleanup(func() {
		cancel()
		s.Close()
		silent.Close()
		<-served
	})
	return done
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	t.Run("IsNotHeldUpByIdleConnections", func(t *testing.T) {
		r := start(t, control.Options{})
		silent, err := net.Dial("unix", r.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		r.do("GET", "/healthz", "") // and leaves a kept connection
		// However busy the machine is, the shutdown of net/http takes longer, because it waits
		// for the silent connection: it is not done after as much time again.
		theirs := held(t)
		began := time.Now()
		if err := r.server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		took := time.Since(began)
		select {
		case <-theirs:
			t.Errorf("it took %v, which is no less than half of what net/http's takes", took)
		case <-time.After(took):
		}
		if _, err := net.Dial("unix", r.socket); err == nil {
			t.Error("the socket still accepts")
		}
	})
	t.Run("LetsARequestFinish", func(t *testing.T) {
		r := start(t, control.Options{})
		begun, finish := make(chan struct{}), make(chan struct{})
		r.daemon.onReload = func(context.Context) { close(begun); <-finish }
		status := make(chan int, 1)
		go func() {
			resp, _ := r.do("POST", "/api/daemon/reload", "")
			status <- resp.StatusCode
		}()
		<-begun
		stopped := make(chan error, 1)
		go func() { stopped <- r.server.Shutdown(context.Background()) }()
		for { // until it has begun, after which nothing new is served
			resp, body := r.do("GET", "/healthz", "")
			if resp.StatusCode == 503 && decode[provider.ErrorReply](t, body).Error.Code == provider.ShuttingDownNow {
				break
			}
		}
		close(finish)
		if got := <-status; got != 200 {
			t.Errorf("the request got %d", got)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	t.Run("CutsOffWhatOutlastsItsContext", func(t *testing.T) {
		r := start(t, control.Options{})
		r.daemon.onReload = func(ctx context.Context) { <-ctx.Done() }
		begun := make(chan struct{})
		go func() {
			close(begun)
			if resp, err := r.client.Post("http://localhost/api/daemon/reload", "", nil); err == nil {
				resp.Body.Close()
			}
		}()
		<-begun
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		r.server.Shutdown(ctx) // its error depends on whether the request came first
	})
}
