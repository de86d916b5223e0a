//go:build unix

package probe_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// BenchmarkProbe is the cost of a probe of a server on this machine over a kept connection,
// including the server, beside the cost of bare net/http. The figure that matters is
// cpu-µs/op.
func BenchmarkProbe(b *testing.B) {
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, `{"version":"0.12.3"}`)
	}))
	b.Cleanup(ts.Close)

	b.Run("floor", func(b *testing.B) {
		client := &http.Client{Transport: &http.Transport{}}
		defer client.CloseIdleConnections()
		get := func() {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, ts.URL+"/api/version", nil)
			if err != nil {
				b.Fatal(err)
			}
			res, err := client.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				b.Fatal(err)
			}
			res.Body.Close()
		}
		measure(b, get)
	})
	b.Run("probe", func(b *testing.B) {
		pr := newProber(b, configured(b, "ollama", ts.URL, ""), probe.Options{})
		measure(b, func() {
			if o := pr.Probe(b.Context(), probe.Ask{}); o.Saw != provider.OK {
				b.Fatalf("saw %s %q", o.Saw, o.Detail)
			}
		})
	})
}

// measure runs f and reports the processor time of the whole process.
func measure(b *testing.B, f func()) {
	f() // connects
	b.ReportAllocs()
	began := processorTime(b)
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64(processorTime(b)-began)/float64(b.N), "cpu-µs/op")
}

// processorTime is what this process has used, in microseconds.
func processorTime(b *testing.B) int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return (u.Utime.Sec+u.Stime.Sec)*1e6 + int64(u.Utime.Usec) + int64(u.Stime.Usec)
}
