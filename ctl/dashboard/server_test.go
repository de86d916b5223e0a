package dashboard_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/dashboard"
	"github.com/providerd/providerd/store/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A stage is a dashboard in front of a daemon that the test plays.
type stage struct {
	t      *testing.T
	server *dashboard.Server
	base   string // the path of the overview
	nonce  string
	socket string
	asked  atomic.Int32 // requests that reached the daemon
	shown  atomic.Int32 // requests that reached the views
	end    func() error // ends the dashboard, and returns Serve's error
}

// play starts a dashboard whose daemon is the handler; without one, there is no daemon.
func play(t *testing.T, daemon http.Handler, options ...func(*dashboard.ServerOptions)) *stage {
	t.Helper()
	dir, err := os.MkdirTemp("", "pd") // short: a socket's path has 104 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	st := &stage{t: t, socket: filepath.Join(dir, "s")}
	if daemon != nil {
		st.startDaemon(daemon)
	}
	o := dashboard.ServerOptions{
		Client: &client.Client{Socket: st.socket, DialPatience: -1},
		Views: func(base, nonce string) http.Handler {
			st.base, st.nonce = base, nonce
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				st.shown.Add(1)
				body, _ := io.ReadAll(r.Body)
				fmt.Fprintf(w, "view %s %s", r.Method, body)
			})
		},
	}
	for _, option := range options {
		option(&o)
	}
	if st.server, err = dashboard.Listen(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- st.server.Serve(ctx) }()
	st.end = func() error { cancel(); return <-served }
	t.Cleanup(func() {
		cancel()
		select {
		case <-served:
		default:
		}
	})
	return st
}

// startDaemon makes a daemon listen at the socket until the test, or the returned function,
// ends it.
func (st *stage) startDaemon(handler http.Handler) (end func()) {
	st.t.Helper()
	l, err := net.Listen("unix", st.socket)
	if err != nil {
		st.t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		st.asked.Add(1)
		handler.ServeHTTP(w, r)
	})}
	go server.Serve(l)
	st.t.Cleanup(func() { server.Close() })
	return func() { server.Close() }
}

func (st *stage) authority() string {
	return strings.TrimSuffix(strings.TrimPrefix(st.server.URL(), "http://"), st.base)
}

func (st *stage) dial() net.Conn {
	st.t.Helper()
	c, err := net.Dial("tcp", st.authority())
	if err != nil {
		st.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

// send sends a request as it is, with BASE and AUTHORITY replaced, and reads its answer.
func (st *stage) send(raw string) (*http.Response, string) {
	st.t.Helper()
	c := st.dial()
	defer c.Close()
	return st.sendOn(c, raw)
}

func (st *stage) sendOn(c net.Conn, raw string) (*http.Response, string) {
	st.t.Helper()
	raw = strings.NewReplacer("BASE", st.base, "AUTHORITY", st.authority(), "NONCE", st.nonce, "\n", "\r\n").Replace(raw)
	if _, err := io.WriteString(c, raw); err != nil {
		st.t.Logf("writing: %v", err) // the answer may be there nevertheless
	}
	method, _, _ := strings.Cut(raw, " ")
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		st.t.Fatalf("%.99q: %v", raw, err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil && resp.StatusCode != 431 { // a head that is not read to its end resets the connection
		st.t.Fatalf("%.99q: %v", raw, err)
	}
	return resp, string(body)
}

const ours = "Host: AUTHORITY\n"

// What is refused reaches neither the views nor the daemon, and is answered with a page, or
// on the API with JSON, that has every header.
func TestServer_Refuses(t *testing.T) {
	st := play(t, http.NotFoundHandler())
	for name, tc := range map[string]struct {
		raw    string
		status int
	}{
		"NoHost":            {"GET BASE HTTP/1.1\n\n", 400},
		"ForeignHost":       {"GET BASE HTTP/1.1\nHost: evil.example\n\n", 403},
		"Rebound":           {"GET BASEapi/providers/status HTTP/1.1\nHost: rebound.example:80\nSec-Fetch-Site: same-origin\nSec-Fetch-Mode: cors\nSec-Fetch-Dest: empty\n\n", 403},
		"TwoHosts":          {"GET BASE HTTP/1.1\n" + ours + "Host: evil.example\n\n", 400},
		"TwiceTheSameHost":  {"GET BASE HTTP/1.1\n" + ours + ours + "\n", 400},
		"FoldedHost":        {"GET BASE HTTP/1.1\nHost: AUTHORITY\n .evil.example\n\n", 400},
		"AbsoluteForm":      {"GET http://AUTHORITYBASE HTTP/1.1\n" + ours + "\n", 400},
		"AbsoluteForeign":   {"GET http://evil.example/ HTTP/1.1\n" + ours + "\n", 400},
		"Star":              {"OPTIONS * HTTP/1.1\n" + ours + "\n", 404},
		"Connect":           {"CONNECT AUTHORITY HTTP/1.1\n" + ours + "\n", 404},
		"Trace":             {"TRACE BASE HTTP/1.1\n" + ours + "\n", 405},
		"Options":           {"OPTIONS BASEapi/providers/refresh HTTP/1.1\n" + ours + "Origin: http://evil.example\nAccess-Control-Request-Method: POST\n\n", 405},
		"HTTP10":            {"GET BASE HTTP/1.0\n" + ours + "\n", 505},
		"HTTP2":             {"PRI * HTTP/2.0\n\nSM\n\n", 505},
		"Upgrade":           {"GET / HTTP/1.1\n" + ours + "Connection: Upgrade\nUpgrade: websocket\n\n", 404},
		"Nowhere":           {"GET / HTTP/1.1\n" + ours + "\n", 404},
		"EscapedDots":       {"GET BASE%2e%2e/ HTTP/1.1\n" + ours + "\n", 404},
		"EscapedDotsInAnID": {"GET BASEapi/providers/%2e%2e/models HTTP/1.1\n" + ours + "\n", 404},
		"EscapedSlashInID":  {"GET BASEapi/providers/a%2fmodels HTTP/1.1\n" + ours + "\n", 404},
		"QueryInAnID":       {"GET BASEapi/providers/a%3Fmax_age=0s/models HTTP/1.1\n" + ours + "\n", 404},
		"SpaceInAnID":       {"GET BASEapi/providers/a%20HTTP/models HTTP/1.1\n" + ours + "\n", 404},
		"LineInAnID":        {"GET BASEapi/providers/a%0d%0ab/models HTTP/1.1\n" + ours + "\n", 404},
		"Preflighted":       {"POST BASEapi/providers/refresh HTTP/1.1\n" + ours + "Origin: http://evil.example\nX-Providerd: 1\nContent-Length: 0\n\n", 403},
		"TwoOrigins":        {"POST BASEapi/providers/refresh HTTP/1.1\n" + ours + "Origin: http://AUTHORITY\nOrigin: http://evil.example\nX-Providerd: 1\nContent-Length: 0\n\n", 400},
		"NoHeader":          {"POST BASEapi/providers/refresh HTTP/1.1\n" + ours + "Content-Length: 0\n\n", 403},
		"TwoLengths":        {"POST BASEapi/providers/refresh HTTP/1.1\n" + ours + "X-Providerd: 1\nContent-Length: 0\nContent-Length: 5\n\nhello", 400},
		"LengthAndChunks":   {"POST BASEapi/providers/refresh HTTP/1.1\n" + ours + "X-Providerd: 1\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\n\n", 411},
		"Chunks":            {"POST BASEapi/providers/refresh HTTP/1.1\n" + ours + "X-Providerd: 1\nTransfer-Encoding: chunked\n\n0\n\n", 411},
		"UnknownEncoding":   {"POST BASEapi/providers/refresh HTTP/1.1\n" + ours + "X-Providerd: 1\nTransfer-Encoding: gzip\n\n", 501},
		"SpaceBeforeColon":  {"GET BASE HTTP/1.1\nHost : AUTHORITY\n\n", 400},
		"LargeHead":         {"GET BASE HTTP/1.1\n" + ours + "X-Large: " + strings.Repeat("a", 16<<10) + "\n\n", 431},
		"LargeBody":         {"POST BASEapi/providers/refresh HTTP/1.1\n" + ours + "X-Providerd: 1\nContent-Length: 65537\n\n", 413},
		"GetWithABody":      {"GET BASE HTTP/1.1\n" + ours + "Content-Length: 2\n\n{}", 400},
		"FormWithoutNonce":  {"POST BASErefresh HTTP/1.1\n" + ours + "Content-Type: application/x-www-form-urlencoded\nContent-Length: 3\n\na=b", 403},
		"FormWithAnother":   {"POST BASErefresh HTTP/1.1\n" + ours + "Content-Type: application/x-www-form-urlencoded\nContent-Length: 7\n\nnonce=A", 403},
		"FormWithTwo":       {"POST BASErefresh HTTP/1.1\n" + ours + "Content-Type: application/x-www-form-urlencoded\nContent-Length: 69\n\nnonce=NONCE&x=y&nonce=NONCE", 403},
		"NotForwarded":      {"GET BASEapi/daemon/config HTTP/1.1\n" + ours + "\n", 404},
		"BackupNotForward":  {"GET BASEapi/daemon/backup HTTP/1.1\n" + ours + "\n", 404},
		"MetricsNotForward": {"GET BASEapi/metrics HTTP/1.1\n" + ours + "\n", 404},
		"WrongMethod":       {"POST BASEapi/providers/status HTTP/1.1\n" + ours + "X-Providerd: 1\nContent-Length: 0\n\n", 405},
		"GetChangesNothing": {"GET BASEapi/providers/refresh HTTP/1.1\n" + ours + "\n", 405},
		"Put":               {"PUT BASEapi/daemon/log-level HTTP/1.1\n" + ours + "X-Providerd: 1\nContent-Length: 0\n\n", 405},
	} {
		resp, body := st.send(tc.raw)
		if resp.StatusCode != tc.status {
			t.Errorf("%s: %s %s, want %d", name, resp.Status, body, tc.status)
			continue
		}
		if !resp.Close {
			t.Errorf("%s: the connection stays", name)
		}
		checkHeaders(t, name, resp)
		switch kind := resp.Header.Get("Content-Type"); {
		case kind == "application/json" && strings.Contains(body, `{"error":{"code":"`):
		case strings.HasPrefix(kind, "text/html") && strings.Contains(body, "<h1>"):
		case strings.HasPrefix(kind, "text/plain") && !strings.Contains(body, "<"): // no handler saw it
		default:
			if !strings.HasPrefix(tc.raw, "HEAD") {
				t.Errorf("%s: %s %s", name, kind, body)
			}
		}
	}
	if st.asked.Load() != 0 || st.shown.Load() != 0 {
		t.Errorf("%d requests reached the daemon, %d the views", st.asked.Load(), st.shown.Load())
	}
}

func checkHeaders(t *testing.T, name string, resp *http.Response) {
	t.Helper()
	for header, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
	} {
		if got := resp.Header.Values(header); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %s is %q", name, header, got)
		}
	}
	for _, header := range []string{"Access-Control-Allow-Origin", "Set-Cookie", "Server"} {
		if resp.Header.Get(header) != "" {
			t.Errorf("%s: there is a header %s", name, header)
		}
	}
}

func TestServer_Views(t *testing.T) {
	st := play(t, nil)
	resp, body := st.send("GET BASE HTTP/1.1\n" + ours + "\n")
	if resp.StatusCode != 200 || body != "view GET " {
		t.Errorf("%s %q", resp.Status, body)
	}
	checkHeaders(t, "GET", resp)
	if resp, body := st.send("HEAD BASE HTTP/1.1\n" + ours + "\n"); resp.StatusCode != 200 || body != "" {
		t.Errorf("HEAD: %s %q", resp.Status, body)
	}
	form := "nonce=" + st.nonce + "&id=a"
	resp, body = st.send(fmt.Sprintf("POST BASErefresh HTTP/1.1\n"+ours+"Content-Type: application/x-www-form-urlencoded\nContent-Length: %d\n\n%s", len(form), form))
	if resp.StatusCode != 200 || body != "view POST "+form {
		t.Errorf("POST: %s %q", resp.Status, body)
	}
	if resp, _ := st.send("GET " + strings.TrimSuffix(st.base, "/") + " HTTP/1.1\n" + ours + "\n"); resp.Header.Get("Location") != st.base {
		t.Errorf("without the slash: %s to %q", resp.Status, resp.Header.Get("Location"))
	}
}

// A bug in a view ends that request alone, and is reported. What clients do wrong is not.
func TestServer_Bugs(t *testing.T) {
	reports := make(chan string, 10)
	st := play(t, nil, func(o *dashboard.ServerOptions) {
		o.Bug = func(text string) { reports <- text }
		views := o.Views
		o.Views = func(base, nonce string) http.Handler {
			views(base, nonce)
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the view is wrong") })
		}
	})
	st.send("GET BASE HTTP/1.1\nHost : x\n\n")
	c := st.dial()
	defer c.Close()
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", st.base, st.authority())
	if answer, err := io.ReadAll(c); len(answer) > 0 {
		t.Errorf("%q %v", answer, err)
	}
	if report := <-reports; !strings.Contains(report, "the view is wrong") || !strings.Contains(report, "server_test.go") {
		t.Error(report)
	}
	if len(reports) > 0 {
		t.Error(<-reports)
	}
}

// The ticket is good for one navigation, which a preview does not use up.
func TestServer_Ticket(t *testing.T) {
	st := play(t, nil)
	ticket := strings.TrimPrefix(st.server.TicketURL(), "http://"+st.authority())
	if resp, _ := st.send("HEAD " + ticket + " HTTP/1.1\n" + ours + "\n"); resp.StatusCode != 405 {
		t.Errorf("HEAD: %s", resp.Status)
	}
	select {
	case <-st.server.Opened():
		t.Error("opened by HEAD")
	default:
	}
	visit := "GET " + ticket + " HTTP/1.1\n" + ours + "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document\n\n"
	resp, body := st.send(visit)
	if resp.StatusCode != 200 || !strings.Contains(body, `<meta http-equiv="refresh" content="0; url=`+st.base+`">`) {
		t.Errorf("%s %s", resp.Status, body)
	}
	checkHeaders(t, "ticket", resp)
	<-st.server.Opened()
	if resp, body := st.send(visit); resp.StatusCode != 404 || strings.Contains(body, st.base) {
		t.Errorf("again: %s %s", resp.Status, body)
	}
}

func TestListen_PortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = dashboard.Listen(dashboard.ServerOptions{Port: l.Addr().(*net.TCPAddr).Port})
	var e *provider.Error
	if !errors.As(err, &e) || e.Code != provider.Usage || !strings.Contains(e.Message, "another program listens at port") || e.Hint == "" {
		t.Errorf("%v", err)
	}
}

// The end closes the streams, and lets nothing wait for them.
func TestServer_EndsInOrder(t *testing.T) {
	st := play(t, streaming(nil))
	c := st.dial()
	defer c.Close()
	fmt.Fprintf(c, "GET %sapi/events?follow=1 HTTP/1.1\r\nHost: %s\r\n\r\n", st.base, st.authority())
	lines := bufio.NewReader(c)
	for line := ""; !strings.Contains(line, `"heartbeat"`); {
		var err error
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.end(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := io.ReadAll(lines); err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the stream is still open: %v", err)
	}
	if c, err := net.Dial("tcp", st.authority()); err == nil {
		c.Close()
		t.Error("it still listens")
	}
}

// Browsers leave out the port of HTTP, in Host and in Origin.
func TestServer_AtThePortOfHTTP(t *testing.T) {
	for port, want := range map[int]string{80: "127.0.0.1", 8080: "127.0.0.1:8080", 180: "127.0.0.1:180"} {
		if got := dashboard.AuthorityOf(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}); got != want {
			t.Errorf("port %d: %s, want %s", port, got, want)
		}
	}
}
