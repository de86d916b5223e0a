package probe_test

import (
	"bufio"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
)

// patient is a timeout that no probe of these tests comes near. Tests about silence run in
// a bubble (see network) or, if they cannot, with a short timeout.
const (
	patient = time.Minute
	brief   = 2 * time.Second
)

// A server is a fake provider: a real server that records its requests.
type server struct {
	url string

	mu    sync.Mutex
	paths []string
	seen  []*http.Request
}

func (s *server) note(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths = append(s.paths, r.URL.RequestURI())
	s.seen = append(s.seen, r)
}

// asked returns the paths requested since the last call.
func (s *server) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	paths := s.paths
	s.paths = nil
	return paths
}

// serve answers over HTTP until the test ends.
func serve(t *testing.T, h http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.url = httptestServer(t, func(w http.ResponseWriter, r *http.Request) {
		s.note(r)
		h(w, r)
	})
	return s
}

// serveOver is serve in a bubble.
func serveOver(t testing.TB, n *network, h http.HandlerFunc) *server {
	t.Helper()
	s := &server{url: "http://" + n.Addr().String()}
	srv := &http.Server{ErrorLog: discard(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.note(r)
		h(w, r)
	})}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(n) }()
	t.Cleanup(func() { srv.Close(); <-served })
	return s
}

func httptestServer(t testing.TB, h http.HandlerFunc) (url string) {
	t.Helper()
	ts := httptest.NewServer(h)
	t.Cleanup(ts.Close)
	return ts.URL
}

// A page is a canned answer.
type page struct {
	status  int // 0: 200
	headers map[string]string
	body    string
}

func (p page) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	for name, value := range p.headers {
		w.Header().Set(name, value)
	}
	if p.status != 0 {
		w.WriteHeader(p.status)
	}
	_, _ = io.WriteString(w, p.body)
}

// site answers each path with its page, and other paths with missing.
func site(pages map[string]page, missing page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, ok := pages[r.URL.RequestURI()]
		if !ok {
			p = missing
		}
		p.ServeHTTP(w, r)
	}
}

// talk answers every connection with f. If heed is set, f gets the connection after the
// request was read. Connections are closed when f returns.
func talk(t *testing.T, heed bool, f func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return talkOver(t, l, heed, f)
}

// talkOver is talk for the connections to l.
func talkOver(t testing.TB, l net.Listener, heed bool, f func(net.Conn)) (address string) {
	t.Cleanup(attend(l, func(c net.Conn) {
		if heed {
			if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
				return
			}
		}
		f(c)
	}))
	return l.Addr().String()
}

// attend passes every connection to f, and closes it when f returns. Stopping it closes all
// open connections.
func attend(l net.Listener, f func(net.Conn)) (stop func()) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				f(c)
			})
		}
	})
	return func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	}
}

// say sends text over every connection, after its request.
func say(t *testing.T, text string) (url string) {
	return "http://" + talk(t, true, func(c net.Conn) { _, _ = io.WriteString(c, text) })
}

// unused is an address where nothing listens.
func unused(t *testing.T) (address string) {
	t.Helper()
	address, leave, err := abandoned()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leave)
	return address
}

// configured is a provider of a kind, completed as by the configuration.
func configured(t testing.TB, kindName, baseURL, key string) config.Provider {
	t.Helper()
	kinds := probe.Kinds()
	i := slices.IndexFunc(kinds, func(k config.Kind) bool { return k.Name == kindName })
	if i < 0 {
		t.Fatalf("no kind %q", kindName)
	}
	if key == "" && kinds[i].KeyNeeded {
		key = "test-key-of-nobody"
	}
	return config.Provider{
		ID: kindName, Kind: kindName, Type: kinds[i].Type,
		BaseURL: baseURL, Endpoint: baseURL, BaseURLGiven: true, Key: config.NewSecret(key),
		Interval: 10 * time.Second, Timeout: patient, SlowAfter: time.Second, Rise: 1, Fall: 2,
	}
}

func newProber(t testing.TB, p config.Provider, o probe.Options) *probe.Prober {
	t.Helper()
	pr, err := probe.New(&p, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pr.Close)
	return pr
}

// once probes a provider for the first time.
func once(t testing.TB, p config.Provider, o probe.Options, ask probe.Ask) probe.Observation {
	t.Helper()
	return newProber(t, p, o).Probe(t.Context(), ask)
}

// jsonPage is a 200 with a JSON body.
func jsonPage(body string) page {
	return page{headers: map[string]string{"Content-Type": "application/json"}, body: body}
}

func truth(b *bool) string {
	switch {
	case b == nil:
		return "untried"
	case *b:
		return "yes"
	}
	return "no"
}

// discard is for servers whose log messages are part of the test.
func discard() *log.Logger { return log.New(io.Discard, "", 0) }
