package control_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

func TestBadInput(t *testing.T) {
	t.Parallel()
	r := start(t, control.Options{}, running("ollama"), running("gpu"))
	long := strings.Repeat("x", 70<<10)
	for _, tt := range []struct {
		name, method, path, body string
		header                   [2]string
		status                   int
		code                     provider.Code
		hint                     string // a part of it
	}{
		{name: "UnknownRoute", path: "/nope", status: 404, code: provider.UnknownRoute, hint: "GET /api/providers/status"},
		{name: "NearlyARoute", path: "/healtz", status: 404, code: provider.UnknownRoute, hint: "GET /healthz"},
		{name: "MistypedRoute", path: "/api/daemon/loglevel", status: 404, code: provider.UnknownRoute, hint: "try PUT /api/daemon/log-level"},
		{name: "EndOfARoute", path: "/refresh", status: 404, code: provider.UnknownRoute, hint: "try POST /api/providers/refresh"},
		{name: "PartOfARoute", path: "/providers", status: 404, code: provider.UnknownRoute, hint: "try GET /api/providers/status"},
		{name: "BeginningOfARoute", path: "/api/providers", status: 404, code: provider.UnknownRoute, hint: "try GET /api/providers/status"},
		{name: "MistypedStatus", path: "/api/providers/stauts", status: 404, code: provider.UnknownProvider, hint: "did you mean: GET /api/providers/status"},
		{name: "MistypedRefresh", path: "/api/providers/refesh", status: 404, code: provider.UnknownProvider, hint: "did you mean: POST /api/providers/refresh"},
		{name: "MistypedPartOfAProvider", path: "/api/providers/ollama/modles", status: 404, code: provider.UnknownRoute, hint: "try GET /api/providers/ollama/models"},
		{name: "MistypedAction", method: "POST", path: "/api/providers/ollama/puase", status: 404, code: provider.UnknownRoute, hint: "try POST /api/providers/ollama/pause"},
		{name: "NoID", path: "/api/providers/", status: 404, code: provider.UnknownRoute},
		{name: "TrailingSlash", path: "/api/providers/status/", status: 404, code: provider.UnknownRoute, hint: "try GET /api/providers/status"},
		{name: "SlashAfterAProvider", path: "/api/providers/ollama/", status: 404, code: provider.UnknownRoute, hint: "try GET /api/providers/ollama"},
		{name: "TwoSlashes", method: "POST", path: "/api/providers//ollama//pause", status: 404, code: provider.UnknownRoute, hint: "try POST /api/providers/ollama/pause"},
		{name: "UnknownPartOfAProvider", path: "/api/providers/ollama/nope", status: 404, code: provider.UnknownRoute, hint: "try GET /api/providers/ollama, or below it: models, diagnostics, history"},
		{name: "DotSegments", path: "/api/providers/../daemon", status: 404, code: provider.UnknownRoute},
		{name: "UnknownProvider", path: "/api/providers/nope", status: 404, code: provider.UnknownProvider, hint: "ollama"},
		{name: "MistypedProvider", path: "/api/providers/olama", status: 404, code: provider.UnknownProvider, hint: "did you mean: ollama"},
		{name: "MistypedProviderInAQuery", path: "/api/providers/status?provider_id=Ollama", status: 404, code: provider.UnknownProvider, hint: "did you mean: ollama"},
		{name: "ProvidersInOneWord", path: "/api/providers/status?provider_id=ollama,gpu", status: 404, code: provider.UnknownProvider, hint: "name each separately: ollama gpu"},
		{name: "AnotherMachinesServer", path: "/api/providers/gpu2%2Fvllm", status: 404, code: provider.UnknownProvider, hint: "with --fleet, and to GET /api/fleet"},
		{name: "PartOfAnotherMachinesServer", path: "/api/providers/ollama%2fmodels/models", status: 404, code: provider.UnknownProvider, hint: "GET /api/fleet"},
		{name: "AnotherMachinesServerInAQuery", path: "/api/providers/status?provider_id=gpu2/vllm", status: 404, code: provider.UnknownProvider, hint: "GET /api/fleet"},
		{name: "UnknownProviderInAQuery", path: "/api/providers/status?provider_id=nope", status: 404, code: provider.UnknownProvider},
		{name: "UnknownProviderToPause", method: "POST", path: "/api/providers/nope/pause", status: 404, code: provider.UnknownProvider},
		{name: "Method", method: "POST", path: "/api/providers/status", status: 405, code: provider.MethodNotAllowed, hint: "GET, HEAD"},
		{name: "GETOfARefresh", path: "/api/providers/refresh", status: 405, code: provider.MethodNotAllowed, hint: "POST"},
		{name: "OPTIONS", method: "OPTIONS", path: "/api/daemon", status: 405, code: provider.MethodNotAllowed},
		{name: "UnknownParameter", path: "/api/providers/status?maxage=1s", status: 400, code: provider.BadRequest, hint: "did you mean: max_age; this route takes: provider_id, max_age, wait"},
		{name: "ParameterWhereNoneIs", path: "/api/providers/ollama?x=1", status: 400, code: provider.BadRequest, hint: "no parameters"},
		{name: "BadEscape", path: "/api/providers/status?provider_id=%zz", status: 400, code: provider.BadRequest},
		{name: "Semicolon", path: "/api/providers/status?provider_id=a;b", status: 400, code: provider.BadRequest},
		{name: "EmptyID", path: "/api/providers/status?provider_id=", status: 400, code: provider.BadRequest},
		{name: "DurationWithoutUnit", path: "/api/providers/status?max_age=5", status: 400, code: provider.BadRequest, hint: "500ms"},
		{name: "NegativeDuration", path: "/api/providers/status?max_age=-1s", status: 400, code: provider.BadRequest},
		{name: "EmptyDuration", path: "/api/providers/status?max_age=", status: 400, code: provider.BadRequest},
		{name: "TooLongAWait", path: "/api/providers/status?max_age=1s&wait=601s", status: 400, code: provider.BadRequest},
		{name: "WaitAlone", path: "/api/providers/status?wait=1s", status: 400, code: provider.BadRequest, hint: "max_age"},
		{name: "GivenTwice", path: "/api/providers/status?max_age=1s&max_age=2s", status: 400, code: provider.BadRequest},
		{name: "Force", method: "POST", path: "/api/providers/refresh?force=yes", status: 400, code: provider.BadRequest},
		{name: "Since", path: "/api/events?since=-1", status: 400, code: provider.BadRequest},
		{name: "SinceTheFuture", path: "/api/events?since=99", status: 410, code: provider.EventsGone},
		{name: "BodyWhereNoneIs", method: "POST", path: "/api/providers/ollama/pause", body: `{"id":"ollama"}`, status: 400, code: provider.BadRequest, hint: "send no body"},
		{name: "BodyInsteadOfAQuery", method: "POST", path: "/api/providers/ollama/diagnose", body: `{"wait":"5s"}`, status: 400, code: provider.BadRequest, hint: "into the query: wait, force"},
		{name: "LargeBodyWhereNoneIs", method: "POST", path: "/api/providers/ollama/resume", body: long, status: 413, code: provider.TooLarge},
		{name: "BrokenBodyWhereNoneIs", method: "POST", path: "/api/discover", body: `{`, status: 400, code: provider.BadRequest, hint: "send no body"},
		{name: "LargeBody", method: "PUT", path: "/api/daemon/log-level", body: long, status: 413, code: provider.TooLarge},
		{name: "NotJSON", method: "PUT", path: "/api/daemon/log-level", body: `debug`, status: 400, code: provider.BadRequest},
		{name: "TruncatedJSON", method: "PUT", path: "/api/daemon/log-level", body: `{"level":`, status: 400, code: provider.BadRequest},
		{name: "UnknownField", method: "PUT", path: "/api/daemon/log-level", body: `{"level":"info","x":1}`, status: 400, code: provider.BadRequest},
		{name: "MoreThanOneValue", method: "PUT", path: "/api/daemon/log-level", body: `{"level":"info"}{}`, status: 400, code: provider.BadRequest},
		{name: "FieldInOtherLetters", method: "PUT", path: "/api/daemon/log-level", body: `{"LEVEL":"info"}`, status: 400, code: provider.BadRequest, hint: "did you mean: level"},
		{name: "FieldTwice", method: "PUT", path: "/api/daemon/log-level", body: `{"level":"info","level":"debug"}`, status: 400, code: provider.BadRequest, hint: `{"level":"debug"}`},
		{name: "FieldOfAnotherType", method: "PUT", path: "/api/daemon/log-level", body: `{"level":3}`, status: 400, code: provider.BadRequest, hint: `{"level":"debug"}`},
		{name: "UnknownLevel", method: "PUT", path: "/api/daemon/log-level", body: `{"level":"loud"}`, status: 400, code: provider.BadRequest, hint: "debug"},
		{name: "NoBody", method: "PUT", path: "/api/daemon/log-level", status: 400, code: provider.BadRequest},
		{name: "UnknownProviderToReport", method: "POST", path: "/api/providers/nope/report", body: `{"status":429}`, status: 404, code: provider.UnknownProvider, hint: "ollama"},
		{name: "ReportOfNothing", method: "POST", path: "/api/providers/ollama/report", body: `{}`, status: 400, code: provider.BadRequest, hint: "429"},
		{name: "MistypedLevel", method: "PUT", path: "/api/daemon/log-level", body: `{"level":"debgu"}`, status: 400, code: provider.BadRequest, hint: "did you mean: debug"},
		{name: "EmptyLevel", method: "PUT", path: "/api/daemon/log-level", body: `{}`, status: 400, code: provider.BadRequest, hint: `send {"level":"debug"}`},
		{name: "MistypedError", method: "POST", path: "/api/providers/ollama/report", body: `{"error":"timout"}`, status: 400, code: provider.BadRequest, hint: "did you mean: timeout"},
		{name: "ReportInWords", method: "POST", path: "/api/providers/ollama/report", body: `{"status":429,"detail":"x"}`, status: 400, code: provider.BadRequest},
		{name: "ReportWithAStatusInText", method: "POST", path: "/api/providers/ollama/report", body: `{"status":"429"}`, status: 400, code: provider.BadRequest, hint: `{"status":429`},
		{name: "ReportWithATimeInDigits", method: "POST", path: "/api/providers/ollama/report", body: `{"status":429,"retry_after":60}`, status: 400, code: provider.BadRequest, hint: `"retry_after":"60"`},
		{name: "Origin", path: "/healthz", header: [2]string{"Origin", "http://localhost"}, status: 403, code: provider.ForeignOrigin},
		{name: "Referer", path: "/healthz", header: [2]string{"Referer", "http://evil.example/"}, status: 403, code: provider.ForeignOrigin},
		{name: "Host", path: "/healthz", header: [2]string{"Host", "evil.example"}, status: 403, code: provider.ForeignOrigin},
		{name: "LongPath", path: "/" + long[:8000], status: 404, code: provider.UnknownRoute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			method, host := tt.method, "localhost"
			if method == "" {
				method = "GET"
			}
			extra := ""
			switch {
			case tt.header[0] == "Host":
				host = tt.header[1]
			case tt.header[0] != "":
				extra = tt.header[0] + ": " + tt.header[1] + "\r\n"
			}
			if tt.body != "" {
				extra += fmt.Sprintf("Content-Length: %d\r\n", len(tt.body))
			}
			resp, body := r.raw(fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n%s", method, tt.path, host, extra, tt.body))
			if resp.StatusCode != tt.status {
				t.Fatalf("%d, want %d: %s", resp.StatusCode, tt.status, body)
			}
			got := decode[provider.ErrorReply](t, body)
			if got.Error.Code != tt.code || got.Error.Message == "" || !strings.Contains(got.Error.Hint, tt.hint) {
				t.Errorf("got %+v, want code %s and a hint with %q", got.Error, tt.code, tt.hint)
			}
			if len(body) > 1000 {
				t.Errorf("the reply has %d bytes", len(body))
			}
			if resp.StatusCode == 405 && resp.Header.Get("Allow") != got.Error.Hint[len("use "):] {
				t.Errorf("Allow: %q, hint %q", resp.Header.Get("Allow"), got.Error.Hint)
			}
		})
	}
	want[provider.StatusReply](r, "GET", "/api/providers/status", 200) // it still serves
}

func TestHost_WhatLocalProgramsSendIsTaken(t *testing.T) {
	r := start(t, control.Options{})
	for _, host := range []string{"localhost", "localhost:80", "x", "", ".", "127.0.0.1", "127.0.0.1:1", "[::1]:80", "%2Frun%2Fproviderd%2Fproviderd.sock"} {
		if resp, body := r.raw("GET /healthz HTTP/1.1\r\nHost: " + host + "\r\n\r\n"); resp.StatusCode != 200 {
			t.Errorf("Host %q: %d %s", host, resp.StatusCode, body)
		}
	}
}

func TestOversizedHeaderIsRefused(t *testing.T) {
	t.Parallel()
	r := start(t, control.Options{})
	request := func(n int) string {
		return "GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", n) + "\r\n\r\n"
	}
	if resp, _ := r.raw(request(12 << 10)); resp.StatusCode != 200 {
		t.Errorf("12 KiB: %d", resp.StatusCode)
	}
	if resp, _ := r.raw(request(17 << 10)); resp.StatusCode != 431 {
		t.Errorf("17 KiB: %d, want 431", resp.StatusCode)
	}
}

func TestSlowSendersAreCutOff(t *testing.T) {
	t.Parallel()
	r := start(t, control.Options{ReadHeaderTimeout: 50 * time.Millisecond})
	for name, part := range map[string]string{
		"Nothing":    "",
		"HalfHeader": "GET /healthz HTTP/1.1\r\nHost: x\r\n",
		"HalfBody":   "PUT /api/daemon/log-level HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{",
		"UnreadBody": "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			nc, err := net.Dial("unix", r.socket)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			nc.SetDeadline(time.Now().Add(time.Minute))
			io.WriteString(nc, part)
			if _, err := io.Copy(io.Discard, nc); os.IsTimeout(err) { // a reset is an end too
				t.Errorf("the connection was not closed: %v", err)
			}
		})
	}
}

func TestBugInAHandlerIsThatRequestsError(t *testing.T) {
	r := start(t, control.Options{}, running("a"))
	r.providers.onRefresh = func([]string, uint64) schedule.Accepted { panic("a bug") }
	got := want[provider.ErrorReply](r, "POST", "/api/providers/refresh", 500)
	if got.Error.Code != provider.Internal {
		t.Errorf("got %+v", got.Error)
	}
	want[provider.StatusReply](r, "GET", "/api/providers/status", 200)
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	const most, tried = 100, 10_000
	r := start(t, control.Options{MaxConns: most})
	var open []net.Conn
	refused := 0
	for range tried {
		nc, err := net.Dial("unix", r.socket)
		if err != nil {
			t.Fatal(err)
		}
		switch status := statusOf(t, nc); status {
		case 200:
			open = append(open, nc)
		case 503:
			refused++
			nc.Close()
		default:
			t.Fatalf("status %d", status)
		}
	}
	if len(open) != most || refused != tried-most {
		t.Errorf("%d are open and %d were refused, want %d and %d", len(open), refused, most, tried-most)
	}
	for _, nc := range open {
		nc.Close()
	}
	for deadline := time.Now().Add(time.Minute); ; { // the server hears of it in its own time
		nc, err := net.Dial("unix", r.socket)
		if err != nil {
			t.Fatal(err)
		}
		status := statusOf(t, nc)
		nc.Close()
		if status == 200 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no place became free")
		}
	}
}

// statusOf asks for the health over nc, and leaves nc open.
func statusOf(t *testing.T, nc net.Conn) int {
	t.Helper()
	nc.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(nc, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") // fails when it is turned away already
	buf := make([]byte, 4096)
	n, err := nc.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	var status int
	if _, err := fmt.Sscanf(string(buf[:n]), "HTTP/1.1 %d", &status); err != nil {
		t.Fatalf("%v: %q", err, buf[:n])
	}
	return status
}

func TestDaemonRoutes(t *testing.T) {
	r := start(t, control.Options{}, running("a"))

	t.Run("InfoCounts", func(t *testing.T) {
		r.do("GET", "/nope", "")
		got := want[provider.DaemonInfo](r, "GET", "/api/daemon", 200)
		if got.Version != "1.2.3" || got.Providers != 1 || got.Counters.Probes != 7 || got.Counters.Requests < 2 || got.DatabaseBytes == 0 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("HealthIsOK", func(t *testing.T) {
		if got := want[provider.Health](r, "GET", "/healthz", 200); got.Status != "ok" || got.Checks["store"] != "ok" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("HealthFailsWhenTheSchedulerIsLate", func(t *testing.T) {
		r.providers.mu.Lock()
		r.providers.lag = 6 * time.Second
		r.providers.mu.Unlock()
		if got := want[provider.Health](r, "GET", "/healthz", 503); got.Status == "ok" || got.Checks["scheduler"] != "a probe is 6s late" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("LogLevel", func(t *testing.T) {
		resp, body := r.do("PUT", "/api/daemon/log-level", `{"level":"DEBUG"}`)
		if resp.StatusCode != 200 || body != `{"level":"debug"}`+"\n" || r.daemon.level != "debug" {
			t.Errorf("%d %s; level %q", resp.StatusCode, body, r.daemon.level)
		}
		if resp, body := r.do("PUT", "/api/daemon/log-level", `{"level":"off"}`); resp.StatusCode != 200 || r.daemon.level != "off" {
			t.Errorf("%d %s; level %q", resp.StatusCode, body, r.daemon.level)
		}
		if !r.logged("changed log level") {
			t.Error("it is not logged")
		}
	})
	t.Run("Reload", func(t *testing.T) {
		if got := want[provider.ReloadReply](r, "POST", "/api/daemon/reload", 200); got.Status != "reloaded" || got.Added[0] != "new" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("ReloadThatIsRefusedSaysWhy", func(t *testing.T) {
		r.daemon.reloadErr = fmt.Errorf("reload: %w", provider.Errorf(provider.ConfigInvalid, "correct it", "line 3: unknown key"))
		got := want[provider.ErrorReply](r, "POST", "/api/daemon/reload", 422)
		if got.Error.Code != provider.ConfigInvalid || got.Error.Message != "line 3: unknown key" {
			t.Errorf("got %+v", got.Error)
		}
	})
}

func TestErrorBodiesAreOneLineOfJSON(t *testing.T) {
	r := start(t, control.Options{})
	resp, body := r.do(http.MethodGet, "/%22%0a%1b[31m", "")
	if !json.Valid([]byte(body)) || strings.Count(body, "\n") != 1 || strings.ContainsRune(body, '\x1b') {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
}
