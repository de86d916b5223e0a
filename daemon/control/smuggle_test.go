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

// What a browser, a proxy or an attacker sends is refused: none of its requests is served, but
// the next client is.
func TestAbuse_IsRefused(t *testing.T) {
	t.Parallel()
	r := start(t, control.Options{}, running("a"))
	const page = "GET /api/daemon HTTP/1.1\r\n"
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
		{"TRACE", "TRACE /api/daemon HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
		{"EscapedNUL", "GET /api/providers/a%00 HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		{"EscapedLineBreaks", "GET /api/providers/a%0d%0aX:1 HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		{"EscapedSlash", "GET /api/providers/..%2f..%2fdaemon HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		{"EscapedDots", "GET /api/providers/%2e%2e/daemon HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		{"TwoSlashes", "GET //api/daemon HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reply := sendRaw(t, r.socket, tt.request)
			if !strings.HasPrefix(reply, "HTTP/1.1 "+tt.status+" ") {
				t.Errorf("got %.300q, want %s", reply, tt.status)
			}
			if strings.Contains(reply, `"pid"`) {
				t.Errorf("it is served: %.300q", reply)
			}
		})
	}
}

// An Upgrade is ignored: the reply is the one without it, and ends the connection.
func TestAbuse_UpgradeIsNotTakenUp(t *testing.T) {
	r := start(t, control.Options{})
	for _, to := range []string{"websocket", "h2c", "TLS/1.2"} {
		reply := sendRaw(t, r.socket, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: "+to+"\r\n\r\n"+get("/api/daemon"))
		if !strings.HasPrefix(reply, "HTTP/1.1 200 ") || strings.Contains(reply, "\r\nUpgrade:") || strings.Contains(reply, `"pid"`) {
			t.Errorf("%s: %q", to, reply)
		}
	}
}

// sendRaw sends bytes, closes its side, and returns everything that comes back.
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
