package control_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/daemon/socket"
	"github.com/providerd/providerd/store/provider"
)

// BenchmarkRead compares a cached read over the socket with its baseline: a bare net/http
// handler that writes as many bytes. Both run at the same time and alternate call by call, so
// that other load on the machine affects them alike. ratio is our time over the baseline.
func BenchmarkRead(b *testing.B) {
	const one, all = "/api/providers/local-0", "/api/providers/status"
	for _, bb := range []struct {
		name    string
		rows    int
		path    string
		puts    int // results that come meanwhile, each second
		between int // results that come between two calls
		slow    int // readers that hold a listing each
	}{
		{name: "Provider", rows: 5, path: one},
		{name: "Status1", rows: 1, path: all},
		{name: "Status5", rows: 5, path: all},
		{name: "Status1000", rows: 1000, path: all},
		{name: "Status5000", rows: 5000, path: all},
		{name: "Status10000", rows: 10_000, path: all},
		{name: "Status1000While100Change", rows: 1000, path: all, puts: 100},
		{name: "Status5000While100Change", rows: 5000, path: all, puts: 100},
		{name: "Status10000While100Change", rows: 10_000, path: all, puts: 100},
		{name: "Status5000After500Changed", rows: 5000, path: all, between: 500}, // for one who asks every five seconds
		{name: "Status5000MaxAge", rows: 5000, path: all + "?max_age=1h"},
		{name: "Status5000BesideSlowReaders", rows: 5000, path: all, slow: 2},
	} {
		b.Run(bb.name, func(b *testing.B) {
			var rows []provider.Status
			for i := range bb.rows {
				row := running(fmt.Sprint("local-", i))
				row.Version, row.LoadedModels = "0.12.3", []string{"qwen3:8b"}
				row.Since.Time = time.Now().Add(-time.Hour)
				rows = append(rows, row)
			}
			r := start(b, control.Options{}, rows...)
			for range 2 { // a heap as it is after a while: no row is beside its neighbour's
				for _, i := range rand.Perm(len(rows)) {
					putAgain(r, rows[i], i)
				}
			}
			_, body := r.do("GET", bb.path, "")
			ours := newCaller(b, r.socket, bb.path)
			floor := newCaller(b, serveBare(b, []byte(body)), bb.path)
			for range bb.slow {
				defer r.store.View().Listing(time.Now()).Free()
			}
			if bb.puts > 0 {
				keepPutting(b, r, rows, bb.puts)
			}
			for range 100 { // both warm
				floor.call()
				ours.call()
			}
			b.ReportAllocs()
			var spent, least time.Duration
			puts := 0
			for i := 0; b.Loop(); i++ {
				for range bb.between {
					putAgain(r, rows[scattered(puts, len(rows))], puts)
					puts++
				}
				if i%2 == 0 {
					least += floor.call()
					spent += ours.call()
				} else {
					spent += ours.call()
					least += floor.call()
				}
			}
			n := float64(b.N)
			b.ReportMetric(float64(spent)/n, "ours-ns/op")
			b.ReportMetric(float64(least)/n, "floor-ns/op")
			b.ReportMetric(float64(spent)/float64(least), "ratio")
			b.ReportMetric(float64(len(body)), "bytes")
		})
	}
}

// putAgain puts a row as if it had been probed now, for the i-th time. Its length varies, so that
// what follows it in the reply moves.
func putAgain(r *rig, row provider.Status, i int) {
	row.CheckedAt.Time = time.Now()
	row.LatencyMS = float64(i % 1000)
	r.put(row, nil)
}

// scattered is the i-th of n rows in a scattered order, as with jitter.
func scattered(i, n int) int { return i * 617 % n }

// keepPutting puts the rows in turn, that many a second, until the benchmark ends.
func keepPutting(b *testing.B, r *rig, rows []provider.Status, each int) {
	b.Helper()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second / time.Duration(each))
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			putAgain(r, rows[scattered(i, len(rows))], i)
		}
	}()
	b.Cleanup(func() { close(stop); <-done })
}

// serveBare serves the body with plain net/http.
func serveBare(b *testing.B, body []byte) (path string) {
	b.Helper()
	path = socketPath(b)
	l, err := socket.Listen(path, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	})}
	done := make(chan struct{})
	go func() { defer close(done); srv.Serve(l.UnixListener) }()
	b.Cleanup(func() { srv.Close(); l.Close(); <-done })
	return path
}

// A caller repeats one request over one connection. It reads the reply as cheaply as possible, to
// keep the client's part of the time small.
type caller struct {
	b       *testing.B
	nc      net.Conn
	r       *bufio.Reader
	request []byte
}

func newCaller(b *testing.B, socket, path string) *caller {
	b.Helper()
	nc, err := net.Dial("unix", socket)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { nc.Close() })
	return &caller{b, nc, bufio.NewReaderSize(nc, 64<<10), []byte("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")}
}

// call returns how long one request with its complete reply took.
func (c *caller) call() time.Duration {
	began := time.Now()
	if _, err := c.nc.Write(c.request); err != nil {
		c.b.Fatal(err)
	}
	length := 0
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			c.b.Fatal(err)
		}
		if len(line) == len("\r\n") {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(value[:len(value)-2]))
		}
	}
	if n, err := c.r.Discard(length); err != nil || length == 0 {
		c.b.Fatalf("%d of %d bytes: %v", n, length, err)
	}
	return time.Since(began)
}
