package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gated is a server that answers the first request at once and all others in turns.
type gated struct {
	*httptest.Server
	asked atomic.Int64
	turns chan struct{}
}

func newGated(t *testing.T) *gated {
	g := &gated{turns: make(chan struct{})}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := g.asked.Add(1); n > 1 {
			select {
			case <-g.turns:
			case <-r.Context().Done():
			}
			w.Header().Set("X-Request-Id", fmt.Sprint(n))
		}
	}))
	t.Cleanup(g.Close)
	return g
}

func httpProvider(id, url string) string {
	return fmt.Sprintf("[[provider]]\nid = %q\nkind = \"http\"\nbase_url = %q\ntimeout = \"5m\"\nslow_after = \"5m\"\n", id, url)
}

// Promise 1: a plain read does not wait for a probe.
func TestPromise1_ReadsNeverWait(t *testing.T) {
	g := newGated(t)
	r := runDaemon(t, httpProvider("a", g.URL), nil)
	r.call("POST", "/api/providers/refresh", nil)
	r.until(func() bool { return g.asked.Load() >= 2 }) // its answer will never come
	for _, path := range []string{"/api/providers/status", "/api/providers/a", "/api/providers/a/models",
		"/api/providers/a/diagnostics", "/api/providers/a/history", "/api/providers/a/history?window=30d", "/api/history", "/api/events", "/api/daemon", "/api/daemon/config"} {
		if status, body := r.call("GET", path, nil); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	var info provider.DaemonInfo
	if r.call("GET", "/api/daemon", &info); info.Counters.InFlight != 1 {
		t.Errorf("%d probes in flight: nothing was waited for", info.Counters.InFlight)
	}
}

// Promise 2, through the socket: a refresh that is accepted during a slow probe never returns
// that probe's result.
func TestPromise2_NoLostRefresh(t *testing.T) {
	g := newGated(t)
	r := runDaemon(t, httpProvider("a", g.URL), nil)
	r.call("POST", "/api/providers/refresh", nil)
	r.until(func() bool { return g.asked.Load() >= 2 })
	accepted := time.Now()
	var late provider.RefreshReply
	if status, _ := r.call("POST", "/api/providers/refresh?provider_id=a&wait=50ms", &late); status != http.StatusGatewayTimeout {
		t.Errorf("status %d while the probe hangs", status)
	}
	if len(late.Providers) != 1 || late.Providers[0].Generation >= late.Generation || late.Error == nil {
		t.Errorf("the last known state stays, and is not called fresh: %+v", late)
	}
	g.turns <- struct{}{} // the old probe ends, and must not count
	var fresh provider.RefreshReply
	var wg sync.WaitGroup
	wg.Go(func() { g.turns <- struct{}{} })
	if status, body := r.call("POST", "/api/providers/refresh?provider_id=a&wait=5m", &fresh); status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	wg.Wait()
	row := fresh.Providers[0]
	if row.Generation < late.Generation || row.CheckedAt.Before(accepted.Truncate(time.Millisecond)) {
		t.Errorf("generation %d of a probe that began at %s; refresh %d was accepted at %s",
			row.Generation, row.CheckedAt, late.Generation, accepted)
	}
}

// Promise 3, through the socket: 1,000 concurrent cold reads cost at most 2 probes. The first
// probe is held until all 1,000 have asked.
func TestPromise3_NoStampede(t *testing.T) {
	g := newGated(t)
	r := runDaemon(t, httpProvider("a", g.URL), nil)
	before := g.asked.Load()
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			asked := time.Now()
			var reply provider.StatusReply
			if status, body := r.call("GET", "/api/providers/status?max_age=0s&wait=5m", &reply); status != http.StatusOK {
				t.Errorf("%d %s", status, body)
				return
			}
			if row := reply.Providers[0]; row.Stale || row.CheckedAt.Before(asked.Truncate(time.Millisecond)) {
				t.Errorf("a row from %s for a question of %s, stale: %t", row.CheckedAt, asked, row.Stale)
			}
		})
	}
	r.until(func() bool { // two reads asked for a probe, the others share it
		var info provider.DaemonInfo
		r.call("GET", "/api/daemon", &info)
		return info.Counters.Coalesced >= 998
	})
	close(g.turns)
	wg.Wait()
	if n := g.asked.Load() - before; n < 1 || n > 2 {
		t.Errorf("%d probes for 1,000 cold reads, want at most 2", n)
	}
}

// Promise 7: a key is in no reply, log line, database page, error text or diagnostic, even if
// the provider sends it back.
func TestPromise7_SecretsStayIn(t *testing.T) {
	const fromEnv, fromFile, userInfo = "not-a-real-key-from-env", "not-a-real-key-from-file", "not-a-real-password"
	var got atomic.Int64
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") + r.Header.Get("X-Api-Key")
		if key != "" {
			got.Add(1)
		}
		w.Header().Set("X-Request-Id", key)
		w.Header().Set("Www-Authenticate", "Bearer "+key)
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":{"message":"incorrect key provided: %s"}}`, key)
	}))
	defer echo.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(fromFile+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runDaemon(t, fmt.Sprintf(`
[[provider]]
id = "env"
kind = "openai"
base_url = %q
api_key_env = "SOME_KEY"
[[provider]]
id = "file"
kind = "anthropic"
base_url = %q
api_key_file = %q
[[provider]]
id = "user"
kind = "http"
base_url = %q
`, echo.URL, echo.URL, filepath.Join(dir, "key"), strings.Replace(echo.URL, "//", "//me:"+userInfo+"@", 1)), map[string]string{"SOME_KEY": fromEnv})

	var seen bytes.Buffer
	for _, path := range []string{"/api/providers/status", "/api/events", "/api/daemon", "/api/daemon/config", "/api/daemon/log", "/healthz"} {
		_, body := r.call("GET", path, nil)
		seen.WriteString(body)
	}
	for _, id := range []string{"env", "file", "user"} {
		for _, part := range []string{"", "/models", "/diagnostics", "/history"} {
			_, body := r.call("GET", "/api/providers/"+id+part, nil)
			seen.WriteString(body)
		}
	}
	_, body := r.call("POST", "/api/daemon/reload", nil)
	seen.WriteString(body)
	seen.WriteString(r.log.String())
	err := filepath.WalkDir(filepath.Join(r.dir, "state"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		seen.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Load() < 2 || !strings.Contains(seen.String(), "unauthorized") {
		t.Fatalf("the keys were not used: %d", got.Load())
	}
	for _, secret := range []string{fromEnv, fromFile, userInfo} {
		if i := strings.Index(seen.String(), secret); i >= 0 {
			t.Errorf("%s got out: …%s…", secret, seen.String()[max(0, i-200):i+len(secret)])
		}
	}
}

// Promise 8: no probe runs inference, or loads or wakes a model. Whatever the answers, every
// kind only sends bare requests to paths that are known to be free: GET, except for one index
// that its server returns only to a POST.
func TestPromise8_NoProbeCostsMoney(t *testing.T) {
	free := map[string]bool{
		"/": true, "/models": true, "/v1/models": true, "/health": true, "/props": true, "/slots": true, "/v1/health": true,
		"/api/version": true, "/api/tags": true, "/api/ps": true, "/api/v0/models": true, "/api/v1/models": true,
		"/readyz": true, "/version": true, "/system": true,
		"/api/extra/version": true, "/api/v1/model": true,
		"/v1/internal/health": true,
		"/get_model_info":     true, "/get_server_info": true, "/info": true, "/metrics": true,
		"/v1/health/ready": true, "/v1/health/live": true, "/v1/metadata": true,
		"/v2": true, "/v2/health/ready": true, "/v2/health/live": true, "/v2/repository/index": true,
		"/health/liveliness": true, "/health/readiness": true,
		"/v1/async/sonar": true,                         // lists earlier requests to Perplexity, and makes none: docs.perplexity.ai/api-reference/async-sonar-get
		"/v1beta/models":  true, "/openai/models": true, // Gemini's and Azure's lists
		"/user/balance": true,                   // what is left at DeepSeek: api-docs.deepseek.com/api/get-user-balance
		"/key":          true, "/api-key": true, // what OpenRouter and xAI report about the key
	}
	answers := []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) },
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		func(w http.ResponseWriter, r *http.Request) { answerAs(w, r) },
	}
	var mu sync.Mutex
	asked := map[string]bool{}
	var text strings.Builder
	kinds := 0
	for _, kind := range probe.Kinds() {
		if kind.Schemes != nil && kind.Name != "llamacpp" && kind.Name != "http" {
			continue // speaks no HTTP
		}
		kinds++
		for i, answer := range answers {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				mu.Lock()
				asked[kind.Name+" "+r.Method+" "+r.URL.Path] = true
				bare := r.Method == http.MethodGet || r.Method == http.MethodPost && r.URL.Path == "/v2/repository/index"
				if !bare || len(body) > 0 || !free[r.URL.Path] {
					t.Errorf("%s asked %s %s with %d bytes", kind.Name, r.Method, r.URL, len(body))
				}
				if r.URL.Query().Has("model") {
					t.Errorf("%s named a model: %s", kind.Name, r.URL)
				}
				mu.Unlock()
				answer(w, r)
			}))
			defer server.Close()
			fmt.Fprintf(&text, "[[provider]]\nid = \"%s-%d\"\nkind = %q\nbase_url = %q\n", kind.Name, i, kind.Name, server.URL)
			if kind.Type != provider.Generic {
				text.WriteString("api_key_env = \"SOME_KEY\"\n")
			}
		}
	}
	r := runDaemon(t, text.String(), map[string]string{"SOME_KEY": "not-a-real-key"})
	for range 2 {
		if status, body := r.call("POST", "/api/providers/refresh?wait=5m&force=1", nil); status != http.StatusOK {
			t.Errorf("%d %s", status, body)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(asked) < kinds {
		t.Errorf("only these were asked: %v", asked)
	}
}

// answerAs gives every kind its healthy answer.
func answerAs(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Server", "llama.cpp")
	switch r.URL.Path {
	case "/api/version":
		fmt.Fprint(w, `{"version":"0.12.3"}`)
	case "/health":
		fmt.Fprint(w, `{"status":"ok"}`)
	case "/api/tags", "/api/ps", "/api/v1/models":
		fmt.Fprint(w, `{"models":[]}`)
	default:
		fmt.Fprint(w, `{"object":"list","data":[{"id":"m","object":"model"}]}`)
	}
}

// Promise 9: what the daemon cannot do, it reports within ten seconds, on request and in the
// log. It also reports when it can again.
func TestPromise9_HealthIsHonest(t *testing.T) {
	r := runDaemon(t, httpProvider("a", newGated(t).URL), nil)
	var h provider.Health
	if status, body := r.call("GET", "/healthz", &h); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	for _, check := range []string{"store", "disk", "scheduler", "socket", "resources", "log", "notify"} {
		if h.Checks[check] != "ok" {
			t.Errorf("%s: %q", check, h.Checks[check])
		}
	}
	path := filepath.Join(r.dir, "s")
	if err := errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	// Only seconds in which this process could run count, since the daemon could run then too.
	seconds := 0
	second := time.NewTicker(time.Second)
	defer second.Stop()
	said := func(done func() bool) {
		t.Helper()
		r.until(func() bool {
			select {
			case <-second.C:
				seconds++
			default:
			}
			return done()
		})
	}
	said(func() bool { // over the existing connection
		status, _ := r.call("GET", "/healthz", &h)
		return status == http.StatusServiceUnavailable && strings.Contains(h.Checks["socket"], "a file is in the place of the socket")
	})
	said(func() bool { return strings.Contains(r.log.String(), `"check":"socket"`) })
	if seconds > 10 {
		t.Errorf("it was said after %d seconds", seconds)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	r.until(func() bool { status, _ := r.call("GET", "/healthz", &h); return status == http.StatusOK })
	r.http.CloseIdleConnections() // now through the new socket
	if status, body := r.call("GET", "/healthz", &h); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	r.until(func() bool { return strings.Contains(r.log.String(), `"check recovered"`) })
}
