package metrics_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/metrics"
	"github.com/providerd/providerd/daemon/scarce"
)

// On the port, as on the socket, a malformed request is refused and ends the
// connection, and no request behind it is answered. A good one is, twice.
func TestServe_MalformedRequestsEndTheConnection(t *testing.T) {
	r := newRig(t, well("a", "ollama", 1))
	l, err := metrics.Listen("127.0.0.1:0", new(scarce.Shortage))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.metrics.Serve(ctx, l, hclog.NewNullLogger()) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	const good = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for _, tt := range []struct {
		name, request string
		statuses      []int
	}{
		{"Good", good + good + "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", []int{200, 200, 200}},
		{"LFAlone", "GET /metrics HTTP/1.1\nHost: localhost\n\n" + good, []int{400}},
		{"FoldedHeader", "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n" + good, []int{400}},
		{"LengthAndChunks", good + "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + good, []int{200, 400}},
		{"AbsoluteForm", "GET http://localhost/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" + good, []int{400}},
		{"Upgrade", "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n" + good, []int{200}},
		{"LongPath", "GET /" + strings.Repeat("x", 100<<10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n" + good, []int{431}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nc, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			nc.SetDeadline(time.Now().Add(time.Minute))
			if _, err := io.WriteString(nc, tt.request); err != nil {
				t.Fatal(err)
			}
			in := bufio.NewReader(nc)
			for _, status := range tt.statuses {
				reply, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatal(err)
				}
				if io.Copy(io.Discard, reply.Body); reply.StatusCode != status {
					t.Errorf("got %d, want %d", reply.StatusCode, status)
				}
			}
			if rest, _ := io.ReadAll(in); len(rest) > 0 { // an error: what was sent in vain is thrown away
				t.Errorf("more follows: %.200q", rest)
			}
		})
	}
}
