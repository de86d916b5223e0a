package browsertest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A fleetDaemon is a real daemon to which a test adds a fleet: it answers GET /api/fleet, and adds
// a line to the streams of events when the fleet changes.
type fleetDaemon struct {
	*daemon
	real  string // the socket of the real one
	mu    sync.Mutex
	reply map[string]any
	asked int
	lines map[chan string]bool
}

func startFleet(t *testing.T, behind *daemon, reply map[string]any) *fleetDaemon {
	t.Helper()
	front := &daemon{t: t, dir: behind.dir, socket: filepath.Join(behind.dir, "f")}
	f := &fleetDaemon{daemon: front, real: behind.socket, reply: reply, lines: map[chan string]bool{}}
	listener, err := net.Listen("unix", front.socket)
	if err != nil {
		t.Fatal(err)
	}
	dial := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", f.real)
	}}
	proxy := &httputil.ReverseProxy{Transport: dial, Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "localhost" }}
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	mux.HandleFunc("GET /api/fleet", f.answer)
	mux.HandleFunc("GET /api/events", func(w http.ResponseWriter, r *http.Request) { f.stream(w, r, dial) })
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); dial.CloseIdleConnections() })
	return f
}

func (f *fleetDaemon) answer(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	f.reply["ts"] = time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00")
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(f.reply)
}

// stream sends the real daemon's lines, and those about the fleet.
func (f *fleetDaemon) stream(w http.ResponseWriter, r *http.Request, real http.RoundTripper) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host = "http", "localhost"
	res, err := real.RoundTrip(out)
	if err != nil {
		return
	}
	defer res.Body.Close()
	own, theirs := make(chan string, 16), make(chan string)
	f.mu.Lock()
	f.lines[own] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.lines, own)
		f.mu.Unlock()
	}()
	go func() {
		defer close(theirs)
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			select {
			case theirs <- lines.Text():
			case <-r.Context().Done():
				return
			}
		}
	}()
	w.Header().Set("Content-Type", res.Header.Get("Content-Type"))
	w.WriteHeader(res.StatusCode)
	for {
		w.(http.Flusher).Flush()
		select {
		case line := <-own:
			fmt.Fprintln(w, line)
		case line, ok := <-theirs:
			if !ok {
				return
			}
			fmt.Fprintln(w, line)
		}
	}
}

// change changes the reply, and tells the followers.
func (f *fleetDaemon) change(values map[string]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, value := range values {
		f.reply[name] = value
	}
	for line := range f.lines {
		line <- fmt.Sprintf(`{"type":"fleet","fleet":%q}`, f.reply["mode"])
	}
}

func (f *fleetDaemon) times() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

// inFleet is the reply of a machine with one other, which has one server.
func inFleet() map[string]any {
	return map[string]any{
		"mode": "ok", "since": "2026-01-01T00:00:00.000Z", "name": "lab", "member": "gpu1", "trust": "verify", "counters": map[string]any{},
		"members": []any{
			map[string]any{"member": "gpu1", "self": true, "mode": "ok", "version": "1.1.0", "joined_s": 7200, "shares": 1, "held": 1},
			map[string]any{"member": "gpu2", "mode": "ok", "version": "1.1.0", "joined_s": 60},
		},
		"shared": []any{map[string]any{"id": "anthropic", "prober": "gpu1", "here": true, "members": 2, "age_ms": 4000}},
		"hosts": []any{map[string]any{"member": "gpu2", "age_ms": 10, "providers": []any{
			map[string]any{"id": "tgi", "kind": "tgi", "type": "local", "state": "RUNNING", "reason": "ok", "checked_ms": 2000, "endpoint": "http://gpu2:8080"},
		}}},
	}
}

// The view of the fleet shows a change of it at once, in the page that is there, and says the same
// without JavaScript. A view of something else does not ask for the fleet.
func TestFleet(t *testing.T) {
	z := startZoo(t)
	for _, r := range z.rows() { // their events would be counted as changes
		z.ask("POST", "/api/providers/"+r.ID+"/pause", nil)
	}
	f := startFleet(t, z.daemon, inFleet())
	board := f.startDashboard()

	w := newTab(t)
	w.watchLive(board.url)
	asked := f.times()
	w.press("g", "f")
	w.until(`document.body.dataset.view === "fleet"`)
	w.until(connected)
	eval[bool](w, `window.marked = true`)
	w.until(`document.querySelector('#servers tr[data-id="gpu2/tgi"] .state.running')`)
	if n := f.times() - asked; n != 1 {
		t.Errorf("opening the view asked for the fleet %d times", n)
	}

	without := newTab(t)
	without.withoutScripts(true)
	without.open(board.url + "fleet")
	scripted, plain := eval[string](w, factsOf), eval[string](without, factsOf)
	if scripted != plain || !strings.Contains(plain, "lab: a member as gpu") {
		t.Errorf("with JavaScript\n%s\nand without\n%s", scripted, plain)
	}

	f.change(map[string]any{"mode": "alone", "why": "no answer from etcd for 7s", "hint": "providerd fleet check", "since": time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00")})
	w.until(`document.querySelector("#fleet .lead.degraded")?.textContent.includes("no answer from etcd for 7s")`)
	w.until(`document.querySelector('#servers tr[data-id="gpu2/tgi"]').textContent.includes("stale")`)
	f.change(map[string]any{"mode": "ok", "why": "", "hint": "", "hosts": []any{}})
	w.until(`document.querySelector("#fleet .lead.running") && !document.querySelector("#servers")`)
	w.stayed()
	w.clean()

	asked = f.times()
	w.do(chromedp.Click(chromedp.CSS(`nav [data-go="o"]`)))
	w.until(`document.body.dataset.view === "overview"`)
	w.until(connected)
	before := f.times()
	f.change(map[string]any{"mode": "alone"})
	z.ask("POST", "/api/providers/ollama/resume", nil) // comes after the change, and is shown
	w.until(`!document.querySelector('#rows tr[data-id="ollama"]').hasAttribute("data-paused")`)
	if n := f.times() - before; n != 0 {
		t.Errorf("the overview asked for the fleet %d times (%d before)", n, before-asked)
	}
	w.clean()
}
