package probe_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// TestProber_AtRest bounds what a Prober keeps between probes: without a
// connection, and with its kept one: bytes on the heap, and no goroutine.
func TestProber_AtRest(t *testing.T) {
	const long = "sk-ant-of-nobody-0123456789aBcDeF0123456789aBcDeF0123456789aBcDeF0123456789aBcDeF0123456789aBcDeF"
	t.Run("without a key", func(t *testing.T) { atRest(t, "", 1<<10, 5<<9) })
	t.Run("with a key", func(t *testing.T) { atRest(t, long, 3<<10, 9<<9) })
}

// atRest bounds them in bytes: idle, and holding both ends of its connection.
func atRest(t *testing.T, key string, idle, holding int64) {
	const (
		probers  = 200
		patience = 5 // garbage of other tests may go down late
	)
	p := configured(t, "ollama", "http://"+thrifty(t, probers), key)
	made := make([]*probe.Prober, probers)
	defer func() {
		for _, pr := range made {
			pr.Close()
		}
	}()
	atMost := func(what string, before, most int64) {
		t.Helper()
		each := (inUse() - before) / probers
		for range patience {
			each = min(each, (inUse()-before)/probers)
		}
		if t.Logf("%s: %d bytes", what, each); each > most {
			t.Errorf("%s: a Prober keeps %d bytes, want at most %d", what, each, most)
		}
	}
	common := new(probe.Common)
	before, goroutines := inUse(), runtime.NumGoroutine()
	for i := range made {
		pr, err := probe.New(&p, probe.Options{UserAgent: "providerd/test", Common: common})
		if err != nil {
			t.Fatal(err)
		}
		made[i] = pr
	}
	atMost("before its first probe", before, idle)
	for _, pr := range made {
		if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.OK {
			t.Fatalf("saw %s %q", o.Saw, o.Detail)
		}
	}
	atMost("with its connection", before, holding)
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before the first probe", n, goroutines)
	}
	for _, pr := range made {
		if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.OK || !o.Evidence.Requests[0].Reused {
			t.Fatalf("saw %s %q: %+v", o.Saw, o.Detail, o.Evidence.Requests)
		}
	}
}

// inUse is what is alive on the heap, in bytes. Stacks are counted as goroutines: the
// runtime keeps those of ended ones for a while, more or fewer of them.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what a sync.Pool holds survives one
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// thrifty serves n connections in one goroutine, so that what its end of them
// takes does not hide what the other end takes. It answers each once, and then
// each a second time.
func thrifty(t *testing.T, n int) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		in := bufio.NewReader(nil)
		answer := func(c net.Conn) bool {
			in.Reset(c)
			_, err := http.ReadRequest(in)
			if err == nil {
				_, err = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"version\":\"1\"}")
			}
			return err == nil
		}
		var open []net.Conn
		for range n {
			c, err := l.Accept()
			if err != nil {
				break
			}
			defer c.Close()
			if open = append(open, c); !answer(c) {
				return
			}
		}
		for _, c := range open {
			if !answer(c) {
				return
			}
		}
	}()
	return l.Addr().String()
}
