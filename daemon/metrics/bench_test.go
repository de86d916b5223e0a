package metrics_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/socket"
)

// BenchmarkScrape measures GET /metrics over the socket beside its floor: a bare
// net/http handler that writes the same bytes. Both take turns in one run, so that
// whatever else the machine does harms them alike; ratio is ours over the floor's.
func BenchmarkScrape(b *testing.B) {
	for _, bb := range []struct {
		name string
		n    int
		each bool // metrics_provider_latency
	}{
		{"5", 5, false}, {"1000", 1000, false}, {"5000", 5000, false}, {"5000WithLatencies", 5000, true},
	} {
		b.Run(bb.name, func(b *testing.B) {
			n := bb.n
			providers := make([]*scripted, n)
			for i := range providers {
				providers[i] = well(fmt.Sprint("local-", i), "ollama", 3)
			}
			r := newRig(b, providers...)
			r.schedule.KeepLatencies(bb.each)
			text := r.text()
			ours := newCaller(b, r.serve())
			floor := newCaller(b, serveBare(b, []byte(text)))
			for range 3 { // both warm
				floor.call()
				ours.call()
			}
			b.ReportAllocs()
			var spent, least time.Duration
			for b.Loop() {
				least += floor.call()
				spent += ours.call()
			}
			b.ReportMetric(float64(spent)/float64(b.N), "ours-ns/op")
			b.ReportMetric(float64(least)/float64(b.N), "floor-ns/op")
			b.ReportMetric(float64(spent)/float64(least), "ratio")
			b.ReportMetric(float64(len(text)), "bytes")
			b.ReportMetric(float64(strings.Count(text, `provider="`))/float64(n), "series/provider")
		})
	}
}

// serve serves the rig's control socket.
func (r *rig) serve() (path string) {
	r.t.Helper()
	path = filepath.Join(r.dir, "s")
	l, err := socket.Listen(path, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = r.control.Serve(context.Background(), l) }()
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = r.control.Shutdown(ctx)
		<-done
	})
	return path
}

// serveBare serves the body with net/http and nothing else.
func serveBare(b *testing.B, body []byte) (path string) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	})}
	done := make(chan struct{})
	go func() { defer close(done); srv.Serve(l) }()
	b.Cleanup(func() { srv.Close(); <-done })
	return path
}

// A caller scrapes again and again over one connection. It reads the reply as
// cheaply as can be, so that the client's part of the time is small.
type caller struct {
	b  testing.TB
	nc net.Conn
	r  *bufio.Reader
}

func newCaller(b testing.TB, path string) *caller {
	b.Helper()
	nc, err := net.Dial("unix", path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { nc.Close() })
	return &caller{b, nc, bufio.NewReaderSize(nc, 64<<10)}
}

// call returns how long one request and its whole reply took.
func (c *caller) call() time.Duration {
	began := time.Now()
	if _, err := io.WriteString(c.nc, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		c.b.Fatal(err)
	}
	length, chunked := int64(0), false
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			c.b.Fatal(err)
		}
		if len(line) == len("\r\n") {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.ParseInt(string(value[:len(value)-2]), 10, 64)
		}
		chunked = chunked || bytes.HasPrefix(line, []byte("Transfer-Encoding: chunked"))
	}
	body := io.LimitReader(c.r, length)
	if chunked {
		body = httputil.NewChunkedReader(c.r)
	}
	n, err := io.Copy(io.Discard, body)
	if err == nil && chunked {
		_, err = c.r.Discard(len("\r\n")) // after the last chunk
	}
	if err != nil || n == 0 || !chunked && n != length {
		c.b.Fatalf("%d of %d bytes: %v", n, length, err)
	}
	return time.Since(began)
}
