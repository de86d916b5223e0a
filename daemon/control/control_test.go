package control_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/daemon/health"
	"github.com/providerd/providerd/daemon/logging"
	"github.com/providerd/providerd/daemon/outage"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/daemon/socket"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A rig is a server on its own socket, with a real store behind it.
type rig struct {
	t         testing.TB
	socket    string
	store     *store.Store
	providers *fakeProviders
	daemon    *fakeDaemon
	lines     *logging.Ring
	server    *control.Server
	client    *http.Client
}

// socketPath is a path in a folder whose mode does not depend on the umask.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "c", "p.sock")
}

// start serves the rows until the test ends, and then checks that the server ends too. Rows
// without times get fresh ones.
func start(t testing.TB, o control.Options, rows ...provider.Status) *rig {
	t.Helper()
	path := socketPath(t)
	return startOn(t, path, filepath.Join(filepath.Dir(filepath.Dir(path)), "p.db"), o, rows...)
}

// startOn is start at that path, with the database in a file that there may be.
func startOn(t testing.TB, path, database string, o control.Options, rows ...provider.Status) *rig {
	t.Helper()
	st, err := store.Open(database, store.Options{First: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, socket: path, store: st, lines: logging.NewRing(hclog.Debug)}
	fresh := map[string]store.Update{}
	var order []string
	for _, row := range rows {
		fresh[row.ID] = store.Update{Status: row}
		order = append(order, row.ID)
	}
	st.Configure(order, fresh)
	r.providers = &fakeProviders{store: st}
	r.daemon = &fakeDaemon{}

	log := hclog.NewInterceptLogger(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Trace})
	log.RegisterSink(r.lines)
	o.Store, o.Providers, o.Daemon, o.Log, o.Lines = st, r.providers, r.daemon, log, r.lines
	o.Health = health.New(log, health.Commits(st), health.Scheduler(r.providers.Lag)).Report
	r.server = control.New(o)

	l, err := socket.Listen(path, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- r.server.Serve(context.Background(), l) }()
	r.client = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}}
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := r.server.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if err := st.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return r
}

// running is the row of a provider that has just been probed.
func running(id string) provider.Status {
	now := provider.Time{Time: time.Now()}
	return provider.Status{
		ID: id, Kind: "ollama", Type: provider.Local, State: provider.StateRunning, Reason: provider.OK,
		Endpoint: "http://127.0.0.1:11434", LatencyMS: 0.42, CheckedAt: now, Since: now, LastOKAt: now,
		NextCheckAt: now, TTLMS: 11_500, Source: provider.FromProbe,
	}
}

// do sends a request, and returns the reply and its body.
func (r *rig) do(method, path, body string) (*http.Response, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if body == "" {
		req.Body = nil
	}
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp, string(b)
}

// want sends a request, checks the status of the reply and decodes it strictly.
func want[T any](r *rig, method, path string, status int) T {
	r.t.Helper()
	resp, body := r.do(method, path, "")
	if resp.StatusCode != status {
		r.t.Fatalf("%s %s: %d, want %d; body: %s", method, path, resp.StatusCode, status, body)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "application/json" {
		r.t.Errorf("%s %s: Content-Type %q", method, path, ct)
	}
	return decode[T](r.t, body)
}

func decode[T any](t testing.TB, body string) T {
	t.Helper()
	var v T
	dec := json.NewDecoder(strings.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("decode %s: %v", body, err)
	}
	return v
}

// raw sends bytes unchanged, and returns the reply and its body.
func (r *rig) raw(request string) (*http.Response, string) {
	r.t.Helper()
	nc, err := net.Dial("unix", r.socket)
	if err != nil {
		r.t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(nc, request) // the server may answer before it has all
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		r.t.Fatalf("read the reply to %.60q: %v", request, err)
	}
	body, _ := io.ReadAll(resp.Body)
	return resp, string(body)
}

// logged reports whether the log has that message.
func (r *rig) logged(message string) bool {
	lines, _ := r.lines.Tail(1000)
	for _, l := range lines {
		if l.Message == message {
			return true
		}
	}
	return false
}

// put changes a row, with an event if the state changes.
func (r *rig) put(st provider.Status, e *provider.Event) {
	r.store.Put(store.Update{Status: st, Event: e})
}

// fakeProviders answers like a scheduler whose probes take no time, unless a test changes that.
type fakeProviders struct {
	store *store.Store

	mu        sync.Mutex
	refreshed [][]string // ids of each refresh
	forced    int
	ensured   [][]string
	maxAges   []time.Duration
	lag       time.Duration
	onRefresh func(ids []string, generation uint64) schedule.Accepted
	onEnsure  func(ids []string)
}

func (f *fakeProviders) Refresh(ids []string, force bool) schedule.Accepted {
	generation := f.store.NextGeneration()
	f.mu.Lock()
	f.refreshed = append(f.refreshed, ids)
	if force {
		f.forced++
	}
	hook := f.onRefresh
	f.mu.Unlock()
	if hook != nil {
		return hook(ids, generation)
	}
	if ids == nil {
		v := f.store.View()
		for i := range v.Len() {
			ids = append(ids, v.At(i).Status.ID)
		}
	}
	for _, id := range ids {
		f.complete(id, generation)
	}
	return schedule.Accepted{Generation: generation, IDs: ids}
}

// Diagnose is also a refresh; the tests do not need the difference.
func (f *fakeProviders) Diagnose(id string, force bool) schedule.Accepted {
	return f.Refresh([]string{id}, force)
}

// complete publishes the result of a probe that begins now.
func (f *fakeProviders) complete(id string, generation uint64) {
	st := f.store.View().Row(id).Status
	st.CheckedAt = provider.Time{Time: time.Now()}
	st.Generation = generation
	f.store.Put(store.Update{Status: st, Diagnostics: &provider.Diagnostics{
		ID: id, BeganAt: st.CheckedAt, Verdict: provider.Verdict{Detail: fmt.Sprint("generation ", generation)},
	}})
}

func (f *fakeProviders) Ensure(ids []string, maxAge time.Duration) {
	f.mu.Lock()
	f.ensured = append(f.ensured, ids)
	f.maxAges = append(f.maxAges, maxAge)
	hook := f.onEnsure
	f.mu.Unlock()
	if hook != nil {
		hook(ids)
	}
}

func (f *fakeProviders) SetPaused(id string, paused bool) error {
	st := f.store.View().Row(id).Status
	e := &provider.Event{Time: provider.Time{Time: time.Now()}, ID: id, From: st.State, To: st.State, Reason: provider.Paused}
	st.Paused = paused
	f.store.Put(store.Update{Status: st, Event: e})
	return nil
}

// Report shows the report as the row's detail.
func (f *fakeProviders) Report(id string, r provider.Report, by string) error {
	st := f.store.View().Row(id).Status
	if _, err := probe.Reported(st.Kind, r, time.Now()); err != nil {
		return err
	}
	e := &provider.Event{Time: provider.Time{Time: time.Now()}, ID: id, From: st.State, To: st.State, Reason: provider.RateLimited}
	st.Detail = fmt.Sprintf("%+v by %s", r, by)
	f.store.Put(store.Update{Status: st, Event: e})
	return nil
}

// Act shows the action in an event.
func (f *fakeProviders) Act(id string, note provider.ActionNote, by string, admin bool) error {
	st := f.store.View().Row(id).Status
	f.store.Put(store.Update{Status: st, Event: &provider.Event{
		Time: provider.Time{Time: time.Now()}, ID: id, From: st.State, To: st.State, Reason: st.Reason,
		Detail: note.Phase, Action: &provider.Action{Name: note.Action, By: by},
	}})
	return nil
}

// Hear shows likewise who reported.
func (f *fakeProviders) Hear(id string, r provider.Report, by string) error {
	return f.Report(id, r, by+", who is no administrator")
}

func (f *fakeProviders) Counters(c *provider.Counters) { c.Probes = 7 }

func (f *fakeProviders) Watch() outage.Watch { return outage.NewWatch(time.Now().Add(-time.Hour), 0) }

func (f *fakeProviders) Lag() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lag
}

// asked returns how often Refresh and Ensure were called.
func (f *fakeProviders) asked() (refreshes, ensures int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.refreshed), len(f.ensured)
}

type fakeDaemon struct {
	mu        sync.Mutex
	level     string
	reloadErr error
	onReload  func(context.Context)
}

func (d *fakeDaemon) Info() provider.DaemonInfo {
	return provider.DaemonInfo{Version: "1.2.3", PID: 42}
}

func (d *fakeDaemon) Configuration(admins string) provider.ConfigReply {
	return provider.ConfigReply{TOML: "admin_group = \"" + admins + "\"\n"}
}

func (d *fakeDaemon) Reload(ctx context.Context) (provider.ReloadReply, error) {
	if d.onReload != nil {
		d.onReload(ctx)
	}
	return provider.ReloadReply{Status: "reloaded", Added: []string{"new"}}, d.reloadErr
}

func (d *fakeDaemon) Discover(context.Context) (provider.DiscoverReply, error) {
	return provider.DiscoverReply{Found: []provider.Discovered{{Kind: "ollama", BaseURL: "http://127.0.0.1:11434"}}}, nil
}

func (d *fakeDaemon) SetLogLevel(level string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.level = level
	return nil
}
