package control_test

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/control"
)

// What a browser, a proxy or somebody with time sends is refused: no request of
// it is served, and the next client is.
func TestAbuse_IsRefused(t *testing.T) {
	t.Parallel()
	r := start(t, control.Options{}, running("a"))
	const page = "GET /api/daemon HTTP/1.1\r\n"
	pause := "POST /api/providers/a/pause HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, tt := range []struct{ name, request, status string }{
		{"Origin", page + "Host: localhost\r\nOrigin: http://127.0.0.1:8000\r\n\r\n", "403"},
		{"OriginOfNobody", page + "Host: localhost\r\nOrigin: null\r\n\r\n", "403"},
		{"EmptyOrigin", page + "Host: localhost\r\nOrigin:\r\n\r\n", "403"},
		{"OriginInOtherLetters", page + "Host: localhost\r\noRiGiN: http://localhost\r\n\r\n", "403"},
		{"Referer", page + "Host: localhost\r\nReferer: http://localhost/\r\n\r\n", "403"},
		{"FetchOfAnotherSite", page + "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n\r\n", "403"},
		{"FetchOfTheSameSite", page + "Host: localhost\r\nSec-Fetch-Site: same-origin\r\n\r\n", "403"},
		{"FetchOfAPageTypedIn", page + "Host: localhost\r\nSec-Fetch-Site: none\r\nSec-Fetch-Dest: document\r\n\r\n", "403"},
		{"FetchModeAlone", page + "Host: localhost\r\nSec-Fetch-Mode: no-cors\r\n\r\n", "403"},
		{"ReboundName", page + "Host: evil.example\r\n\r\n", "403"},
		{"ReboundNameWithAPort", page + "Host: evil.example:80\r\n\r\n", "403"},
		{"ReboundNameLikeAnAddress", page + "Host: 127.0.0.1.evil.example\r\n\r\n", "403"},
		{"ReboundNameThatEndsWithADot", page + "Host: evil.\r\n\r\n", "403"},
		{"ReboundNameLikeASocket", page + "Host: evil.example.sock\r\n\r\n", "403"},
		{"AbsoluteFormOfAnotherHost", "GET http://evil.example/api/daemon HTTP/1.1\r\nHost: localhost\r\n\r\n", "403"},
		{"TwoHosts", page + "Host: localhost\r\nHost: evil.example\r\n\r\n", "400"},
		{"NoHost", page + "\r\n", "400"},
		{"HostWithAPath", page + "Host: localhost/evil.example\r\n\r\n", "400"},
		{"CONNECT", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"},
		{"TRACE", "TRACE /api/daemon HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
		{"Asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		{"HTTP09", "GET /api/daemon\r\n\r\n", "400"},
		{"HTTP2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "404"},
		{"TLS", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", "400"},
		{"NULInThePath", "GET /api/\x00daemon HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
		{"EscapedNUL", "GET /api/providers/a%00 HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		{"EscapedLineBreaks", "GET /api/providers/a%0d%0aX:1 HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		{"EscapedSlash", "GET /api/providers/..%2f..%2fdaemon HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		{"EscapedDots", "GET /api/providers/%2e%2e/daemon HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		{"TwoSlashes", "GET //api/daemon HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		{"FoldedHeader", page + "Host: x\r\nX: a\r\n b\r\nOrigin: http://evil.example\r\n\r\n", "403"},
		{"SpaceBeforeAColon", page + "Host: x\r\nOrigin : http://evil.example\r\n\r\n", "400"},
		{"TwoLengths", "POST /api/providers/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 51\r\n\r\n" + pause, "400"},
		{"NegativeLength", "POST /api/providers/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n" + pause, "400"},
		{"LengthWithASign", "POST /api/providers/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n" + pause, "400"},
		{"LengthAndChunks", "POST /api/providers/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + pause, "202"},
		{"LengthAndChunksToSet", "PUT /api/daemon/log-level HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"level\":\"info\"}\r\n0\r\n\r\n" + pause, "200"},
		{"LengthAndChunksRefused", "POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + pause, "404"},
		{"ChunksByAnotherName", "POST /api/providers/refresh HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n" + pause, "501"},
		{"ChunksTwice", "POST /api/providers/refresh HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + pause, "501"},
		{"ChunksAndMore", "POST /api/providers/refresh HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + pause, "501"},
		{"ChunkExtensions", "PUT /api/daemon/log-level HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 8000) + "\r\n{\r\n0\r\n\r\n", "400"},
		{"ManyHeaders", page + "Host: x\r\n" + strings.Repeat("X: y\r\n", 5000) + "\r\n", "431"},
		{"LongPath", "GET /" + strings.Repeat("x", 1<<20) + " HTTP/1.1\r\nHost: x\r\n\r\n", "431"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reply := sendRaw(t, r.socket, tt.request)
			if !strings.HasPrefix(reply, "HTTP/1.1 "+tt.status+" ") {
				t.Errorf("got %.300q, want %s", reply, tt.status)
			}
			for _, secret := range []string{`"pid"`, `"paused":true`} {
				if strings.Contains(reply, secret) {
					t.Errorf("it is served: %.300q", reply)
				}
			}
		})
	}
	if row := r.store.View().Row("a"); row.Status.Paused {
		t.Error("a request inside another one was served")
	}
}

// An Upgrade is not taken up: the reply is the one without.
func TestAbuse_UpgradeIsNotTakenUp(t *testing.T) {
	r := start(t, control.Options{})
	for _, to := range []string{"websocket", "h2c", "TLS/1.2"} {
		reply := sendRaw(t, r.socket, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: "+to+"\r\n\r\n")
		if !strings.HasPrefix(reply, "HTTP/1.1 200 ") || strings.Contains(reply, "\r\nUpgrade:") {
			t.Errorf("%s: %q", to, reply)
		}
	}
}

// sendRaw sends bytes, and nothing after them, and returns all that comes back.
func sendRaw(t *testing.T, socket, text string) string {
	t.Helper()
	nc, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(time.Minute))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		io.WriteString(nc, text) // may be cut short by the refusal
		nc.(*net.UnixConn).CloseWrite()
	}()
	var reply strings.Builder
	if _, err := io.Copy(&reply, nc); os.IsTimeout(err) {
		t.Error("the connection stays open")
	}
	<-sent
	return reply.String()
}
