package dashboard_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl/dashboard"
)

// streaming answers with a heartbeat, then with the lines, and then nothing until the
// client has gone.
func streaming(gone chan<- struct{}, lines ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		for _, line := range append([]string{`{"type":"heartbeat","seq":1}`}, lines...) {
			fmt.Fprintln(w, line)
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		if gone != nil {
			close(gone)
		}
	})
}

// A request reaches the daemon with its path, query and body, and nothing else of it does.
// The answer comes back as it is.
func TestForward_PassesOn(t *testing.T) {
	seen := make(chan *http.Request, 1)
	bodies := make(chan string, 1)
	st := play(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen <- r
		bodies <- string(body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Secret", "of the daemon")
		w.WriteHeader(202)
		io.WriteString(w, "{\"generation\":4}\n")
	}))
	const body = `{"provider_id":"a"}`
	resp, answer := st.send(fmt.Sprintf("POST BASEapi/providers/refresh?wait=0s&force=1 HTTP/1.1\n"+ours+
		"X-Providerd: 1\nCookie: a=b\nAuthorization: Bearer x\nX-Other: y\nContent-Type: application/json\nContent-Length: %d\n\n%s", len(body), body))
	if resp.StatusCode != 202 || answer != "{\"generation\":4}\n" || resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("X-Secret") != "" {
		t.Errorf("%s %v %q", resp.Status, resp.Header, answer)
	}
	checkHeaders(t, "answer", resp)
	r := <-seen
	if r.RequestURI != "/api/providers/refresh?wait=0s&force=1" || r.Method != "POST" || <-bodies != body || r.Host != "localhost" {
		t.Errorf("the daemon saw %s %s on %s", r.Method, r.RequestURI, r.Host)
	}
	for name := range r.Header {
		switch name {
		case "Content-Type", "Content-Length", "Connection":
		default:
			t.Errorf("the daemon saw %s", name)
		}
	}
}

func TestForward_Routes(t *testing.T) {
	st := play(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s", r.Method, r.RequestURI) }))
	for given, want := range map[string]string{
		"GET api/providers/status?provider_id=a":   "GET /api/providers/status?provider_id=a",
		"GET api/providers/ollama%3Agpu":           "GET /api/providers/ollama:gpu",
		"GET api/providers/a/models":               "GET /api/providers/a/models",
		"GET api/providers/a/diagnostics":          "GET /api/providers/a/diagnostics",
		"GET api/providers/a/history?window=30d":   "GET /api/providers/a/history?window=30d",
		"GET api/history?window=90d":               "GET /api/history?window=90d",
		"GET api/events?since=3":                   "GET /api/events?since=3",
		"GET api/daemon":                           "GET /api/daemon",
		"GET api/daemon/log?lines=3":               "GET /api/daemon/log?lines=3",
		"GET api/notify":                           "GET /api/notify",
		"GET api/fleet":                            "GET /api/fleet",
		"GET api/healthz":                          "GET /healthz",
		"POST api/providers/refresh":               "POST /api/providers/refresh",
		"POST api/providers/a/diagnose?wait=1s":    "POST /api/providers/a/diagnose?wait=1s",
		"POST api/providers/a/pause":               "POST /api/providers/a/pause",
		"POST api/providers/a/resume":              "POST /api/providers/a/resume",
		"POST api/daemon/reload":                   "POST /api/daemon/reload",
		"GET api/providers/status?provider_id=%2e": "GET /api/providers/status?provider_id=%2e",
	} {
		method, path, _ := strings.Cut(given, " ")
		resp, answer := st.send(method + " BASE" + path + " HTTP/1.1\n" + ours + "X-Providerd: 1\nContent-Length: 0\n\n")
		if resp.StatusCode != 200 || answer != want {
			t.Errorf("%s: %s %q, want %q", given, resp.Status, answer, want)
		}
	}
}

// The answers of the daemon to what it refuses are passed on, too.
func TestForward_Errors(t *testing.T) {
	const refusal = `{"error":{"code":"unknown_provider","message":"no such provider","hint":"configured: a"}}` + "\n"
	st := play(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(404)
		io.WriteString(w, refusal)
	}))
	if resp, body := st.send("GET BASEapi/providers/nope HTTP/1.1\n" + ours + "\n"); resp.StatusCode != 404 || body != refusal {
		t.Errorf("%s %s", resp.Status, body)
	}
}

// A reply of a type that the daemon never sends is not passed on: a browser would show it as a
// page of the dashboard's origin.
func TestForward_OnlyTheDaemonsTypes(t *testing.T) {
	const markup = "<script>alert(1)</script>"
	var kind []string
	st := play(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = kind // nil: none, and net/http guesses none
		io.WriteString(w, markup)
	}))
	for given, status := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON": 200, "text/plain; charset=utf-8": 200, "application/x-ndjson": 200,
		"": 502, "text/html": 502, "TEXT/HTML; charset=utf-8": 502, "image/svg+xml": 502, "application/xhtml+xml": 502, "text/xml": 502, "text/javascript": 502,
		"text/css": 502, "text/plain, text/html": 502, "application/json;": 200, "multipart/x-mixed-replace": 502, "application/octet-stream": 502, "json": 502,
	} {
		if kind = []string{given}; given == "" {
			kind = nil
		}
		for _, path := range []string{"api/providers/status", "api/events?follow=1", "api/healthz"} {
			resp, body := st.send("GET BASE" + path + " HTTP/1.1\n" + ours + "\n")
			if resp.StatusCode != status || status != 200 && (strings.Contains(body, markup) || resp.Header.Get("Content-Type") != "application/json") {
				t.Errorf("%q at %s: %s as %q: %s", given, path, resp.Status, resp.Header.Get("Content-Type"), body)
			}
		}
	}
}

// Without a daemon the answer has the daemon's own form. The next one that starts is asked.
func TestForward_OverARestart(t *testing.T) {
	answering := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}\n") })
	st := play(t, nil, func(o *dashboard.ServerOptions) { o.Spell = func(hint string) string { return hint + " --socket /s" } })
	const status = "GET BASEapi/providers/status HTTP/1.1\n" + ours + "\n"
	for range 2 {
		resp, body := st.send(status)
		var reply struct {
			Error struct{ Code, Message, Hint string }
		}
		if err := json.Unmarshal([]byte(body), &reply); err != nil || resp.StatusCode != 503 || reply.Error.Code != "daemon_unreachable" || !strings.HasSuffix(reply.Error.Hint, "providerd --socket /s") {
			t.Errorf("without a daemon: %s %s", resp.Status, body)
		}
		end := st.startDaemon(answering)
		if resp, body := st.send(status); resp.StatusCode != 200 {
			t.Errorf("with a daemon: %s %s", resp.Status, body)
		}
		end()
	}
}

// Each line of a stream arrives when the daemon sends it, and a browser that goes away ends
// the daemon's stream.
func TestForward_Streams(t *testing.T) {
	gone := make(chan struct{})
	st := play(t, streaming(gone, `{"seq":2}`))
	c := st.dial()
	defer c.Close()
	fmt.Fprintf(c, "GET %sapi/events?follow=1 HTTP/1.1\r\nHost: %s\r\n\r\n", st.base, st.authority())
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Error(resp.Header)
	}
	lines := bufio.NewScanner(resp.Body)
	for _, want := range []string{`{"type":"heartbeat","seq":1}`, `{"seq":2}`} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("%q %v, want %q", lines.Text(), lines.Err(), want)
		}
	}
	c.Close()
	<-gone
}

// A HEAD of a stream is answered, and holds nothing.
func TestForward_HeadOfAStream(t *testing.T) {
	gone := make(chan struct{})
	st := play(t, streaming(gone))
	c := st.dial()
	defer c.Close()
	if resp, _ := st.sendOn(c, "HEAD BASEapi/events?follow=1 HTTP/1.1\n"+ours+"\n"); resp.StatusCode != 200 {
		t.Error(resp.Status)
	}
	select { // although the connection stays
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Error("the daemon's stream is still open")
	}
}

// The time that a body may take to arrive is not that of its answer.
func TestForward_ASlowAnswer(t *testing.T) {
	const headTime = 100 * time.Millisecond
	st := play(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(3 * headTime):
			io.WriteString(w, "{}\n")
		case <-r.Context().Done():
		}
	}), func(o *dashboard.ServerOptions) { dashboard.SetHeadTime(o, headTime) })
	resp, body := st.send("POST BASEapi/providers/a/diagnose HTTP/1.1\n" + ours + "X-Providerd: 1\nContent-Length: 2\n\n{}")
	if resp.StatusCode != 200 || body != "{}\n" {
		t.Errorf("%s %s", resp.Status, body)
	}
}

// A client that reads nothing is disconnected, and the daemon's stream ends with it.
func TestForward_ReaderWhoTakesNothing(t *testing.T) {
	ended := make(chan struct{})
	line := strings.Repeat("x", 1<<16) + "\n"
	st := play(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		w.Header().Set("Content-Type", "application/x-ndjson")
		for r.Context().Err() == nil {
			io.WriteString(w, line)
		}
	}), func(o *dashboard.ServerOptions) { dashboard.SetPatience(o, 200*time.Millisecond) })
	c := st.dial()
	defer c.Close()
	fmt.Fprintf(c, "GET %sapi/events?follow=1 HTTP/1.1\r\nHost: %s\r\n\r\n", st.base, st.authority())
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the daemon's stream is still open")
	}
}

// A stream that breaks off is not made to look complete, and any other answer that does is
// an error.
func TestForward_BrokenAnswers(t *testing.T) {
	st := play(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/events" {
			w.Header().Set("Content-Type", "application/x-ndjson")
		}
		io.WriteString(w, `{"seq":2}`+"\n")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	c := st.dial()
	defer c.Close()
	fmt.Fprintf(c, "GET %sapi/events HTTP/1.1\r\nHost: %s\r\n\r\n", st.base, st.authority())
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("a whole body: %q", body)
	}
	if resp, body := st.send("GET BASEapi/daemon HTTP/1.1\n" + ours + "\n"); resp.StatusCode != 503 || !strings.Contains(body, `"code":"daemon_unreachable"`) {
		t.Errorf("%s %s", resp.Status, body)
	}
}

func TestForward_ReadOnly(t *testing.T) {
	st := play(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}\n") }),
		func(o *dashboard.ServerOptions) { o.ReadOnly = true })
	if resp, body := st.send("POST BASEapi/providers/refresh HTTP/1.1\n" + ours + "X-Providerd: 1\nContent-Length: 0\n\n"); resp.StatusCode != 403 || !strings.Contains(body, `"code":"denied"`) {
		t.Errorf("%s %s", resp.Status, body)
	}
	if st.asked.Load() != 0 {
		t.Error("the daemon was asked")
	}
	if resp, _ := st.send("GET BASEapi/providers/status HTTP/1.1\n" + ours + "\n"); resp.StatusCode != 200 {
		t.Error(resp.Status)
	}
}
