package feed

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// harness is a Poller and a vendor's web server, which is a real one, in a bubble of
// synctest: what is between them are pipes.
type harness struct {
	*Poller
	t    *testing.T
	pipe pipes
	stop func()

	mu       sync.Mutex
	serve    http.HandlerFunc
	requests []request
	news     []told
}

type request struct {
	at     time.Time
	host   string
	path   string
	header http.Header
}

type told struct {
	at time.Time
	id string
	News
}

const (
	feedURL = "http://127.0.0.1:8080/summary.json"
	well    = `{"components":[{"name":"API","status":"operational"},{"name":"Chat","status":"operational"}]}`
	out     = `{"components":[{"name":"API","status":"major_outage"},{"name":"Chat","status":"operational"}]}`
)

// newHarness has a server that says that all is well, and a Poller that runs.
func newHarness(t *testing.T) *harness {
	w := &harness{t: t, pipe: make(pipes)}
	w.answer(well)
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.requests = append(w.requests, request{time.Now(), r.Host, r.URL.Path, r.Header})
		serve := w.serve
		w.mu.Unlock()
		serve(rw, r)
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(w.pipe) }()
	w.Poller = New(Options{
		Dial: w.pipe.dial, Random: func() float64 { return 0.5 }, // no jitter
		Tell: func(id string, n News) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.news = append(w.news, told{time.Now(), id, n})
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	w.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		server.Close()
		<-served
	})
	t.Cleanup(w.stop)
	go func() {
		defer close(done)
		w.Run(ctx)
	}()
	return w
}

func (w *harness) handle(h http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve = h
}

func (w *harness) answer(body string) {
	w.handle(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(body)) })
}

func (w *harness) asked() []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]request(nil), w.requests...)
}

// last is the last news of a provider; the zero told when there are none.
func (w *harness) last(id string) (last told) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.news {
		if n.id == id {
			last = n
		}
	}
	return last
}

func (w *harness) want(id string, known bool, impact provider.Impact) {
	w.t.Helper()
	n := w.last(id)
	if n.id == "" || n.Known != known || n.Reading.Impact != impact || n.Step.Impact != impact {
		w.t.Errorf("%s was told %v %q (%+v), want %v %q", id, n.Known, n.Reading.Impact, n.Step, known, impact)
	}
}

func follower(id string, components ...string) config.Provider {
	return config.Provider{ID: id, Feed: config.Feed{URL: feedURL, Format: config.Statuspage, Components: components}}
}

// pipes is a listener without a network.
type pipes chan net.Conn

func (p pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)} }
