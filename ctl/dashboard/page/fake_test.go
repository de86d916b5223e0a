package page_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A daemon answers the routes that the views ask for, at a Unix socket, with what a test put
// into it.
type daemon struct {
	socket string

	mu       sync.Mutex
	rows     []provider.Status
	models   map[string][]provider.Model
	probes   map[string]provider.Diagnostics
	events   []provider.Event
	history  bool // it has the routes of histories
	admin    bool
	seq      uint64
	asked    []string // METHOD path?query
	streams  map[chan string]bool
	fails    map[string]bool // providers whose refresh finds them failing
	holdback bool            // refreshes do not end
	upkeep   []provider.Maintenance
	slots    []provider.SlotsReply
	sinks    []provider.NotifySink // nil: it has no such route
	fleet    *provider.FleetReply  // nil: it has no such route
}

const firstEvent = 1_800_000_000_000_000

func startDaemon(t testing.TB, rows ...provider.Status) *daemon {
	t.Helper()
	d := &daemon{
		socket: filepath.Join(t.TempDir(), "s"), rows: rows, models: map[string][]provider.Model{}, probes: map[string]provider.Diagnostics{},
		admin: true, seq: firstEvent, streams: map[chan string]bool{}, fails: map[string]bool{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/providers/status", d.status)
	mux.HandleFunc("POST /api/providers/refresh", d.refresh)
	mux.HandleFunc("GET /api/providers/{id}", func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if row := d.row(r.PathValue("id")); row != nil {
			reply(w, 200, row)
			return
		}
		refuse(w, provider.Errorf(provider.UnknownProvider, "see: providerctl list", "no such provider"))
	})
	mux.HandleFunc("GET /api/providers/{id}/{what}", d.detail)
	mux.HandleFunc("POST /api/providers/{id}/{what}", d.change)
	mux.HandleFunc("GET /api/history", d.histories)
	mux.HandleFunc("GET /api/events", d.follow)
	mux.HandleFunc("GET /api/notify", func(w http.ResponseWriter, _ *http.Request) {
		if d.sinks == nil {
			refuse(w, provider.Errorf(provider.UnknownRoute, "", "no such route"))
			return
		}
		reply(w, 200, provider.NotifyReply{Sinks: d.sinks})
	})
	mux.HandleFunc("GET /api/fleet", func(w http.ResponseWriter, _ *http.Request) {
		if d.fleet == nil {
			refuse(w, provider.Errorf(provider.UnknownRoute, "", "no such route"))
			return
		}
		reply(w, 200, d.fleet)
	})
	mux.HandleFunc("GET /api/daemon", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, provider.DaemonInfo{Version: "1.2.3", PID: 42, Socket: d.socket, LogLevel: "info", Providers: len(d.rows), Seq: d.seq,
			Setup: &provider.Setup{Caller: provider.Caller{Admin: d.admin, Hint: "run it with sudo"}}})
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 503, provider.Health{Status: "failing", Checks: map[string]string{"disk": "ok", "store": "the disk is full"}})
	})
	mux.HandleFunc("GET /api/daemon/log", func(w http.ResponseWriter, _ *http.Request) {
		if !d.admin {
			refuse(w, provider.Errorf(provider.Denied, "type: sudo providerctl logs", "the log is for administrators"))
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		_ = json.NewEncoder(w).Encode(provider.LogLine{Time: provider.Time{Time: time.Now()}, Level: "warn", Message: "disk is slow", Fields: map[string]any{"took": "3s", "generation": uint64(1795828134803924)}})
	})
	mux.HandleFunc("POST /api/daemon/reload", func(w http.ResponseWriter, _ *http.Request) {
		if !d.admin {
			refuse(w, provider.Errorf(provider.Denied, "type: sudo providerctl reload", "only an administrator may reload"))
			return
		}
		reply(w, 200, provider.ReloadReply{Status: "reloaded", Added: []string{"groq"}, RestartNeeded: []string{"metrics_listen"}})
	})
	listener, err := net.Listen("unix", d.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		d.asked = append(d.asked, r.Method+" "+r.URL.RequestURI())
		d.mu.Unlock()
		mux.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return d
}

// requests are those so far whose beginning is as given.
func (d *daemon) requests(beginning string) (all []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.asked {
		if len(r) >= len(beginning) && r[:len(beginning)] == beginning {
			all = append(all, r)
		}
	}
	return all
}

func reply(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func refuse(w http.ResponseWriter, e *provider.Error) {
	reply(w, e.Code.HTTPStatus(), provider.ErrorReply{Error: e})
}

func (d *daemon) status(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := r.URL.Query()["provider_id"]
	rows := []provider.Status{}
	for _, s := range d.rows {
		if len(ids) == 0 || slices.Contains(ids, s.ID) {
			rows = append(rows, s)
		}
	}
	reply(w, 200, provider.StatusReply{TS: provider.Time{Time: time.Now()}, Seq: d.seq, Providers: rows, Maintenance: d.upkeep, Slots: d.slots})
}

func (d *daemon) refresh(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	only := r.URL.Query().Get("provider_id")
	out := provider.RefreshReply{Status: "refresh_triggered", Generation: 5}
	for i := range d.rows {
		s := &d.rows[i]
		if only != "" && s.ID != only || s.Paused || d.holdback {
			continue
		}
		s.Generation = 5
		if d.fails[s.ID] {
			s.State, s.Reason, s.Detail, s.Hint = provider.StateError, provider.Unauthorized, "401 Unauthorized", "replace the key of "+s.ID
		}
	}
	status := 202
	if r.URL.Query().Has("wait") {
		status, out.Status = 200, "refreshed"
		for _, s := range d.rows {
			if only == "" || s.ID == only {
				out.Providers = append(out.Providers, s)
			}
		}
		if d.holdback {
			status, out.Error = 504, provider.Errorf(provider.TimedOut, "", "timed out")
		}
	}
	reply(w, status, out)
}

func (d *daemon) row(id string) *provider.Status {
	at := slices.IndexFunc(d.rows, func(s provider.Status) bool { return s.ID == id })
	if at < 0 {
		return nil
	}
	return &d.rows[at]
}

func (d *daemon) detail(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := r.PathValue("id")
	if d.row(id) == nil {
		refuse(w, provider.Errorf(provider.UnknownProvider, "", "no such provider: %q", id))
		return
	}
	switch r.PathValue("what") {
	case "models":
		models, known := d.models[id]
		out := provider.ModelsReply{ID: id, Models: models}
		if known {
			out.CheckedAt = provider.Time{Time: time.Now()}
		}
		reply(w, 200, out)
	case "diagnostics":
		p, ok := d.probes[id]
		if !ok {
			p = provider.Diagnostics{ID: id, Verdict: provider.Verdict{State: d.row(id).State, Reason: d.row(id).Reason}}
		}
		reply(w, 200, p)
	case "history":
		if r.URL.Query().Has("window") && !d.history {
			refuse(w, provider.Errorf(provider.BadRequest, "", "unknown parameter: window"))
			return
		}
		ratio := 0.5
		out := map[string]any{"id": id, "uptime_ratio": ratio, "state_seconds": map[string]float64{"RUNNING": 3600, "STOPPED": 3600}, "transitions": d.about(id)}
		if r.URL.Query().Has("window") {
			step := time.Hour
			if r.URL.Query().Get("step") == "1d" {
				step = 24 * time.Hour
			}
			out["buckets"] = bucketsFor(id, step)
			out["usable_ratio"] = 0.75
			out["probed"] = map[string]any{"probes": 10, "ok": 9, "p50_ms": 82, "p95_ms": 210, "p99_ms": 900}
			out["outages"] = map[string]any{"count": 3, "longest_seconds": 7200, "mean_between_seconds": 86400}
		}
		reply(w, 200, out)
	}
}

func (d *daemon) about(id string) []provider.Event {
	out := []provider.Event{}
	for _, e := range d.events {
		if e.Concerns(id) {
			out = append(out, e)
		}
	}
	return out
}

func (d *daemon) change(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.row(r.PathValue("id"))
	what := r.PathValue("what")
	switch {
	case s == nil:
		refuse(w, provider.Errorf(provider.UnknownProvider, "", "no such provider: %q", r.PathValue("id")))
	case what == "diagnose":
		reply(w, 200, provider.DiagnoseReply{Diagnostics: d.probes[s.ID]})
	case !d.admin:
		refuse(w, provider.Errorf(provider.Denied, "type: sudo providerctl "+what+" "+s.ID, "only an administrator may %s", what))
	default:
		s.Paused = what == "pause"
		reply(w, 200, s)
	}
}

func (d *daemon) histories(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.history {
		refuse(w, provider.Errorf(provider.UnknownRoute, "", "no such route"))
		return
	}
	all := []map[string]any{}
	for _, s := range d.rows {
		up, known := make([]any, 25), make([]float64, 25)
		end := time.Now().UTC().Truncate(time.Hour)
		for _, b := range bucketsFor(s.ID, time.Hour) {
			at := 24 - int(end.Sub(b["time"].(provider.Time).Time)/time.Hour)
			up[at], known[at] = b["state_seconds"].(map[provider.State]float64)[provider.StateRunning]/3600, 1
		}
		all = append(all, map[string]any{"id": s.ID, "uptime_ratio": 0.982, "state_seconds": map[string]float64{"RUNNING": 80000, "DEGRADED": 1000}, "up": up, "usable": up, "known": known})
	}
	reply(w, 200, map[string]any{"times": []any{}, "providers": all})
}

// bucketsFor is a history that is the same for each id: mostly up, a little trouble.
func bucketsFor(id string, step time.Duration) (all []map[string]any) {
	seed := 0
	for _, c := range id {
		seed = (seed*31 + int(c)) % 9973
	}
	end := time.Now().UTC().Truncate(step)
	count := 24
	if step > time.Hour {
		count = 80
	}
	for i := range count {
		h := (seed + i*i*7) % 41
		up := 1.0
		other := provider.StateStopped
		switch {
		case h == 3:
			up, other = 0.2, provider.StateError
		case h == 5 || h == 9:
			up, other = 0.8, provider.StateDegraded
		case h == 11:
			continue
		}
		seconds := step.Seconds()
		states := map[provider.State]float64{provider.StateRunning: up * seconds}
		if up < 1 {
			states[other] = (1 - up) * seconds
		}
		p50 := float64(1+seed%80) * (1 + float64(h%13)/10)
		all = append(all, map[string]any{
			"time": provider.Time{Time: end.Add(-time.Duration(count-1-i) * step)}, "known_seconds": seconds, "state_seconds": states,
			"probes": 360, "ok": 350, "p50_ms": p50, "p95_ms": 2 * p50, "p99_ms": 4 * p50,
		})
	}
	return all
}

func (d *daemon) follow(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	var since uint64
	_, _ = fmt.Sscan(r.URL.Query().Get("since"), &since)
	d.mu.Lock()
	var backlog []string
	for _, e := range d.events {
		if e.Seq > since {
			line, _ := json.Marshal(e)
			backlog = append(backlog, string(line))
		}
	}
	lines := make(chan string, 4096)
	d.streams[lines] = true
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		delete(d.streams, lines)
		d.mu.Unlock()
	}()
	for _, line := range backlog {
		_, _ = fmt.Fprintln(w, line)
	}
	if r.URL.Query().Get("follow") == "" {
		return
	}
	w.(http.Flusher).Flush()
	for {
		select {
		case line := <-lines:
			_, _ = fmt.Fprintln(w, line)
		case <-time.After(15 * time.Second):
			_, _ = fmt.Fprintf(w, `{"type":"heartbeat","seq":%d}`+"\n", d.seq)
		case <-r.Context().Done():
			return
		}
		w.(http.Flusher).Flush()
	}
}

// set changes a row, and notifies followers.
func (d *daemon) set(id string, state provider.State, reason provider.Reason, detail, hint string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.row(id)
	d.seq++
	e := provider.Event{Seq: d.seq, Time: provider.Time{Time: time.Now()}, ID: id, From: s.State, To: state, Reason: reason, Detail: detail}
	s.State, s.Reason, s.Detail, s.Hint, s.Since = state, reason, detail, hint, e.Time
	d.events = append(d.events, e)
	line, _ := json.Marshal(e)
	for stream := range maps.Keys(d.streams) {
		stream <- string(line)
	}
}
