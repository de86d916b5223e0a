package top_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gdamore/tcell/v3/vt"
	"go.uber.org/goleak"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/top"
	"github.com/providerd/providerd/store/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A daemon is a real HTTP server on a socket, with rows that a test changes.
type daemon struct {
	t      *testing.T
	socket string
	server *http.Server
	done   chan error

	mu      sync.Mutex
	rows    []provider.Status
	seq     uint64
	streams map[chan string]bool
	replies map[string]reply // to what has no handler of its own
	upkeep  []provider.Maintenance
	held    map[string]struct{} // the providers whose probes of a refresh do not end
}

// A reply is a status code and a body.
type reply struct {
	code int
	body string
}

func startDaemon(t *testing.T, rows ...provider.Status) *daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "top")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &daemon{
		t: t, socket: filepath.Join(dir, "s"), rows: rows, streams: map[chan string]bool{},
		replies: map[string]reply{}, held: map[string]struct{}{},
	}
	d.start()
	t.Cleanup(d.stop)
	return d
}

func (d *daemon) start() {
	l, err := net.Listen("unix", d.socket)
	if err != nil {
		d.t.Fatal(err)
	}
	d.server, d.done = &http.Server{Handler: d}, make(chan error, 1)
	server, done := d.server, d.done
	go func() { done <- server.Serve(l) }()
}

func (d *daemon) stop() {
	if d.server == nil {
		return
	}
	d.server.Close()
	<-d.done
	d.server = nil
}

// change changes a row, and sends the event.
func (d *daemon) change(id string, change func(*provider.Status)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seq++
	i := slices.IndexFunc(d.rows, func(s provider.Status) bool { return s.ID == id })
	change(&d.rows[i])
	line, _ := json.Marshal(provider.Event{Seq: d.seq, ID: id, To: d.rows[i].State, Reason: d.rows[i].Reason})
	for stream := range d.streams {
		stream <- string(line)
	}
}

func (d *daemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what := r.Method + " " + r.URL.Path
	d.mu.Lock()
	canned, isCanned := d.replies[what]
	d.mu.Unlock()
	_, _ = io.Copy(io.Discard, r.Body)
	switch {
	case isCanned:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(canned.code)
		_, _ = io.WriteString(w, canned.body)
	case what == "GET /api/providers/status":
		d.answer(w, d.status(r.URL.Query()["provider_id"]))
	case what == "POST /api/providers/refresh":
		d.answer(w, d.refresh(r.URL.Query()["provider_id"]))
	case what == "GET /api/events":
		d.stream(w, r)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"error":{"code":"unknown_route","message":"no such route"}}`)
	}
}

func (d *daemon) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (d *daemon) status(ids []string) provider.StatusReply {
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := slices.Clone(d.rows)
	if len(ids) > 0 {
		rows = slices.DeleteFunc(rows, func(s provider.Status) bool { return !slices.Contains(ids, s.ID) })
	}
	return provider.StatusReply{TS: provider.Time{Time: time.Now()}, Seq: d.seq, Providers: rows, Maintenance: d.upkeep}
}

// refresh gives rows the next generation, except those that are held.
func (d *daemon) refresh(ids []string) provider.RefreshReply {
	d.mu.Lock()
	defer d.mu.Unlock()
	reply := provider.RefreshReply{Status: "refresh_triggered", Generation: 7}
	for i := range d.rows {
		s := &d.rows[i]
		if len(ids) > 0 && !slices.Contains(ids, s.ID) {
			continue
		}
		if s.Paused {
			reply.Skipped = append(reply.Skipped, provider.Skipped{ID: s.ID, Reason: provider.Paused, Message: "probing is paused"})
			continue
		}
		if _, held := d.held[s.ID]; !held {
			s.Generation = reply.Generation
		}
	}
	return reply
}

func (d *daemon) stream(w http.ResponseWriter, r *http.Request) {
	lines := make(chan string, 1000)
	d.mu.Lock()
	d.streams[lines] = true
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.streams, lines)
	}()
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	for {
		w.(http.Flusher).Flush()
		select {
		case line := <-lines:
			_, _ = io.WriteString(w, line+"\n")
		case <-r.Context().Done():
			return
		}
	}
}

func isUp(id string) provider.Status {
	return provider.Status{ID: id, Kind: "ollama", State: provider.StateRunning, Reason: provider.OK, LatencyMS: 0.8}
}

func isDown(id string) provider.Status {
	return provider.Status{
		ID: id, Kind: "ollama", State: provider.StateStopped, Reason: provider.ConnectionRefused,
		Detail: "127.0.0.1:1: connection refused", Hint: "start it: ollama serve",
	}
}

func isRefused(id string) provider.Status {
	return provider.Status{
		ID: id, Kind: "anthropic", State: provider.StateError, Reason: provider.Unauthorized,
		Hint: "replace the key",
	}
}

// A screen is a terminal that a run shows the status on.
type screen struct {
	t    *testing.T
	term *spy
	end  context.CancelFunc
	done chan error
}

// A spy is a terminal that records what is written to it.
type spy struct {
	vt.MockTerm
	mu      sync.Mutex
	written strings.Builder
}

func (s *spy) Write(p []byte) (int, error) {
	s.mu.Lock()
	s.written.Write(p)
	s.mu.Unlock()
	return s.MockTerm.Write(p)
}

func (s *spy) bytes() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written.String()
}

// show runs top until the test ends.
func show(t *testing.T, d *daemon, width, height int, options ...func(*top.Options)) *screen {
	t.Helper()
	term := &spy{MockTerm: vt.NewMockTerm(vt.MockOptSize{X: vt.Col(width), Y: vt.Row(height)})}
	opts := top.Options{Client: &client.Client{Socket: d.socket, DialPatience: -1}, Color: true}
	for _, option := range options {
		option(&opts)
	}
	var err error
	if opts.Screen, err = top.ScreenOn(term, opts.Color); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &screen{t: t, term: term, end: cancel, done: make(chan error, 1)}
	go func() { s.done <- top.Run(ctx, opts) }()
	t.Cleanup(func() {
		cancel()
		for range s.done {
			return
		}
	})
	return s
}

// ended returns what the run returned.
func (s *screen) ended() error {
	s.t.Helper()
	select {
	case err := <-s.done:
		close(s.done)
		return err
	case <-time.After(time.Minute):
		s.t.Fatalf("it does not end:\n%s", s.text())
		return nil
	}
}

func (s *screen) press(keys ...string) {
	for _, k := range keys {
		s.term.SendRaw([]byte(k))
	}
}

// The bytes of keys that are not characters.
const (
	enter  = "\r"
	escape = "\x1b"
	down   = "\x1b[B"
	pageDn = "\x1b[6~"
	home   = "\x1b[H"
	end    = "\x1b[F"
	ctrlC  = "\x03"
)

// text is what the screen shows.
func (s *screen) text() string {
	var b strings.Builder
	size, _ := s.term.WindowSize()
	for y := range size.Height {
		line := ""
		for x := 0; x < size.Width; x++ {
			cell := s.term.GetCell(vt.Coord{X: vt.Col(x), Y: vt.Row(y)})
			if cell.C == "" {
				cell.C = " "
			}
			line += cell.C
			x += max(0, cell.W-1)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// await returns the screen's text once it matches all of the patterns, of which those that
// begin with "!" must not match.
func (s *screen) await(patterns ...string) string {
	s.t.Helper()
	text := ""
	fits := func(pattern string) bool {
		not, found := strings.CutPrefix(pattern, "!")
		return regexp.MustCompile("(?m)"+not).MatchString(text) != found
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		text = s.text()
		missing := slices.IndexFunc(patterns, func(p string) bool { return !fits(p) })
		switch {
		case missing < 0:
			return text
		case time.Now().After(deadline):
			s.t.Fatalf("the screen never shows %q:\n%s", patterns[missing], text)
		}
	}
}
