package probe_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

const body = `{"version":"1"}`

// fine is an answer after which the connection can be used again.
const fine = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + body

// TestProbe_Reuse: which answers allow the connection to be used again.
func TestProbe_Reuse(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(z, body)
	z.Close()
	tests := []struct {
		name, answer string
		ends         bool // the server closes after it
		reused       bool
	}{
		{"of a stated length", fine, false, true},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n" + body + "\r\n0\r\n\r\n", false, true},
		{"chunked, with trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\nf\r\n" + body + "\r\n0\r\nX-A: 1\r\n\r\n", false, true},
		{"gzip", fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", zipped.Len(), &zipped), false, true},
		{"after interim answers", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + fine, false, true},
		{"HTTP/1.0 that offers to go on", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 15\r\n\r\n" + body, false, true},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 15\r\n\r\n" + body, false, false},
		{"with a wish to close", strings.Replace(fine, "\r\n", "\r\nConnection: close\r\n", 1), false, false},
		{"until the end of the connection", "HTTP/1.1 200 OK\r\n\r\n" + body, true, false},
		{"with more behind it", fine + "and more", false, false},
		{"with another behind it", fine + fine, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address := converse(t, func(int, int) (string, bool) { return tt.answer, tt.ends })
			pr := newProber(t, configured(t, "ollama", "http://"+address, ""), probe.Options{})
			for i := range 4 {
				o := pr.Probe(t.Context(), probe.Ask{})
				if o.Saw != provider.OK || o.Evidence.Requests[0].BodyStart != body {
					t.Fatalf("probe %d: saw %s %q: %+v", i, o.Saw, o.Detail, o.Evidence.Requests)
				}
				if x := o.Evidence.Requests[0]; x.Reused != (tt.reused && i > 0) || x.Reused != (len(o.Evidence.Dial) == 0) {
					t.Errorf("probe %d: reused %t after dialling %+v", i, x.Reused, o.Evidence.Dial)
				}
			}
		})
	}
}

// converse answers request i of connection n, both counted from 0, with what script
// returns, and then closes the connection if script says so.
func converse(t *testing.T, script func(n, i int) (answer string, end bool)) (address string) {
	return talk(t, false, conversation(script))
}

func conversation(script func(n, i int) (answer string, end bool)) func(net.Conn) {
	var connections atomic.Int32
	return func(c net.Conn) {
		n := int(connections.Add(1)) - 1
		in := bufio.NewReader(c)
		for i := 0; ; i++ {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			answer, end := script(n, i)
			if _, err := io.WriteString(c, answer); err != nil || end {
				return
			}
		}
	}
}

// TestProbe_WhileAtRest: if something happens to the connection between two probes, a new
// one replaces it at the cost of one dial.
func TestProbe_WhileAtRest(t *testing.T) {
	t.Parallel()
	write := func(text string) func(net.Conn) {
		return func(c net.Conn) { _, _ = io.WriteString(c, text) }
	}
	for name, happens := range map[string]func(net.Conn){
		"closed":                  func(c net.Conn) { c.Close() },
		"reset":                   func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); c.Close() },
		"half closed":             func(c net.Conn) { _ = c.(*net.TCPConn).CloseWrite() },
		"garbage":                 write("?\r\n"),
		"a blank line":            write("\r\n"),
		"a whole answer":          write(strings.Replace(fine, `"1"`, `"0"`, 1)),
		"half an answer":          func(c net.Conn) { write("HTTP/1.1 200 OK\r\nX")(c); c.Close() },
		"rested too long":         write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"),
		"rested too long, closed": func(c net.Conn) { write("HTTP/1.0 408 Request Timeout\r\n\r\nslow")(c); c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			between, done := make(chan struct{}), make(chan struct{})
			var connections atomic.Int32
			address := talk(t, false, func(c net.Conn) {
				in := bufio.NewReader(c)
				if _, err := http.ReadRequest(in); err != nil {
					return
				}
				_, _ = io.WriteString(c, fine)
				if connections.Add(1) == 1 {
					<-between
					happens(c)
					close(done)
				}
				_, _ = io.Copy(io.Discard, in)
			})
			pr := newProber(t, configured(t, "ollama", "http://"+address, ""), probe.Options{})
			first := pr.Probe(t.Context(), probe.Ask{})
			close(between)
			<-done
			o := pr.Probe(t.Context(), probe.Ask{})
			if first.Saw != provider.OK || o.Saw != provider.OK {
				t.Fatalf("saw %s %q, then %s %q", first.Saw, first.Detail, o.Saw, o.Detail)
			}
			if x := o.Evidence.Requests; len(x) != 1 || x[0].Reused || len(o.Evidence.Dial) != 1 {
				t.Errorf("exchanges %+v after dialling %+v", x, o.Evidence.Dial)
			}
			if got := o.Evidence.Requests[0].BodyStart; got != body {
				t.Errorf("took %s for the answer, want %s", got, body)
			}
		})
	}
}

// TestProbe_AnotherConnection: a request is sent a second time if it used a kept
// connection, and never more often.
func TestProbe_AnotherConnection(t *testing.T) {
	t.Parallel()
	t.Run("not after a new one", func(t *testing.T) {
		t.Parallel()
		var requests atomic.Int32
		address := converse(t, func(int, int) (string, bool) { requests.Add(1); return "", true })
		o := once(t, configured(t, "ollama", "http://"+address, ""), probe.Options{}, probe.Ask{})
		if o.Saw != provider.ConnectionReset || requests.Load() != 1 {
			t.Errorf("saw %s %q after %d requests", o.Saw, o.Detail, requests.Load())
		}
	})
	t.Run("once after a kept one", func(t *testing.T) {
		t.Parallel()
		var requests atomic.Int32
		address := converse(t, func(int, int) (string, bool) {
			if requests.Add(1) == 1 {
				return fine, false
			}
			return "", true
		})
		pr := newProber(t, configured(t, "ollama", "http://"+address, ""), probe.Options{})
		pr.Probe(t.Context(), probe.Ask{})
		o := pr.Probe(t.Context(), probe.Ask{})
		if o.Saw != provider.ConnectionReset || requests.Load() != 3 {
			t.Errorf("saw %s %q after %d requests", o.Saw, o.Detail, requests.Load())
		}
	})
	t.Run("408 to a new one is the answer", func(t *testing.T) {
		t.Parallel()
		address := converse(t, func(int, int) (string, bool) {
			return "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", false
		})
		pr := newProber(t, configured(t, "ollama", "http://"+address, ""), probe.Options{})
		for range 3 {
			if o := pr.Probe(t.Context(), probe.Ask{}); !strings.Contains(o.Detail, "408") || truth(o.PortListening) != "yes" {
				t.Errorf("saw %s %q", o.Saw, o.Detail)
			}
		}
	})
}

// TestProbe_Restart: a server that came back at the same address is probed over a new
// connection. Its real port changes, because between two runs anybody could take it.
func TestProbe_Restart(t *testing.T) {
	t.Parallel()
	start := func() *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(jsonPage(body).ServeHTTP))
	}
	ts := start()
	pr := newProber(t, configured(t, "ollama", "http://127.0.0.1:1", ""), probe.Options{
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, ts.Listener.Addr().String())
		},
	})
	for i := range 3 {
		if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.OK || o.Evidence.Requests[0].Reused {
			t.Errorf("life %d: saw %s %q: %+v", i, o.Saw, o.Detail, o.Evidence.Requests)
		}
		ts.Close()
		ts = start()
	}
	ts.Close()
}

func TestProbe_InterimFlood(t *testing.T) {
	t.Parallel()
	address := talk(t, true, func(c net.Conn) {
		for {
			if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\n"); err != nil {
				return
			}
		}
	})
	o := once(t, configured(t, "ollama", "http://"+address, ""), probe.Options{}, probe.Ask{})
	if o.Saw != provider.BadResponse || !strings.Contains(o.Detail, "larger than 64 KiB") {
		t.Errorf("saw %s %q", o.Saw, o.Detail)
	}
}

// TestProbe_AnswerToHalfARequest: a server may answer and close before it has read the
// request. The answer counts; the connection is not used again.
func TestProbe_AnswerToHalfARequest(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]provider.Reason{fine: provider.OK, "": provider.ConnectionReset} {
		dial := func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				for range strings.Count(answer, body) * 2 { // would answer the next request too
					_, _ = io.WriteString(theirs, answer)
				}
			}()
			return deaf{ours}, nil
		}
		pr := newProber(t, configured(t, "ollama", "http://127.0.0.1:1", ""), probe.Options{Dial: dial})
		for range 2 {
			if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != want || len(o.Evidence.Dial) != 1 {
				t.Errorf("saw %s %q after dialling %+v, want %s", o.Saw, o.Detail, o.Evidence.Dial, want)
			}
		}
	}
}

// deaf is a connection to which not everything can be written.
type deaf struct{ net.Conn }

func (deaf) Write(b []byte) (int, error) { return len(b) / 2, syscall.EPIPE }

// TestProbe_WhileAtRestOverTLS: a stray answer may be in the socket, or in what TLS read
// together with the answer before it.
func TestProbe_WhileAtRestOverTLS(t *testing.T) {
	t.Parallel()
	const stale = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"version\":\"0\"}"
	ts := httptest.NewUnstartedServer(nil)
	ts.StartTLS()
	t.Cleanup(ts.Close)
	for _, together := range []bool{false, true} {
		t.Run(fmt.Sprintf("together %t", together), func(t *testing.T) {
			t.Parallel()
			between, done := make(chan struct{}), make(chan struct{})
			var connections atomic.Int32
			address := talk(t, false, func(c net.Conn) {
				out := &batch{Conn: c}
				c = tls.Server(out, ts.TLS.Clone())
				in := bufio.NewReader(c)
				if _, err := http.ReadRequest(in); err != nil {
					return
				}
				first := connections.Add(1) == 1
				out.hold(first && together)
				_, _ = io.WriteString(c, fine)
				if first {
					if !together {
						<-between
					}
					_, _ = io.WriteString(c, stale)
					out.hold(false)
					close(done)
				}
				_, _ = io.Copy(io.Discard, in)
			})
			pr := newProber(t, configured(t, "ollama", "https://"+address, ""), probe.Options{RootCAs: trusting(ts)})
			pr.Probe(t.Context(), probe.Ask{})
			close(between)
			<-done
			o := pr.Probe(t.Context(), probe.Ask{})
			if x := o.Evidence.Requests; o.Saw != provider.OK || x[0].BodyStart != body || x[0].Reused {
				t.Errorf("saw %s %q: %+v", o.Saw, o.Detail, x)
			}
		})
	}
}

// A batch sends in one piece what is written while it holds.
type batch struct {
	net.Conn
	holds bool
	held  bytes.Buffer
}

func (b *batch) hold(on bool) {
	if b.holds = on; !on {
		_, _ = b.held.WriteTo(b.Conn)
	}
}

func (b *batch) Write(p []byte) (int, error) {
	if b.holds {
		return b.held.Write(p)
	}
	return b.Conn.Write(p)
}

func TestProbe_KeptOverTLS(t *testing.T) {
	t.Parallel()
	ts := httptest.NewTLSServer(http.HandlerFunc(jsonPage(body).ServeHTTP))
	t.Cleanup(ts.Close)
	trusted := x509.NewCertPool()
	trusted.AddCert(ts.Certificate())
	pr := newProber(t, configured(t, "ollama", ts.URL, ""), probe.Options{RootCAs: trusted})
	for i := range 3 {
		o := pr.Probe(t.Context(), probe.Ask{})
		if o.Saw != provider.OK || o.Evidence.Requests[0].Reused != (i > 0) || (o.Evidence.TLS == nil) != (i > 0) {
			t.Errorf("probe %d: saw %s %q: %+v %+v", i, o.Saw, o.Detail, o.Evidence.Requests, o.Evidence.TLS)
		}
	}
	if o := pr.Probe(t.Context(), probe.Ask{Fresh: true}); o.Saw != provider.OK || o.Evidence.TLS == nil || len(o.Evidence.Dial) != 1 {
		t.Errorf("a fresh one: saw %s %q: %+v", o.Saw, o.Detail, o.Evidence)
	}
	ts.CloseClientConnections()
	if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.OK || o.Evidence.TLS == nil {
		t.Errorf("after it was closed: saw %s %q", o.Saw, o.Detail)
	}
}
