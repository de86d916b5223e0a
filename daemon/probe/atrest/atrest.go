// Package atrest helps tests measure what probers keep in memory between their probes. It
// imports the standard library only, and is not part of any program.
package atrest

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"testing"
)

// InUse is the size of the live heap in bytes. Stacks are not included: the runtime keeps
// those of ended goroutines for a while.
func InUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what a sync.Pool holds survives one
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Serve answers n connections in one goroutine, so that the memory of its end does not hide
// that of the other end. It answers the first requests of each connection as it comes and,
// once n have come, then more of each. bodies are the JSON at each path.
func Serve(t *testing.T, n, first, then int, bodies map[string]string) (address string) {
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
		open := make([]net.Conn, 0, n)
		for range n {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			if open = append(open, c); !answer(in, c, first, bodies) {
				return
			}
		}
		for _, c := range open {
			if !answer(in, c, then, bodies) {
				return
			}
		}
	}()
	return l.Addr().String()
}

// answer answers up to the given number of requests on a connection.
func answer(in *bufio.Reader, c net.Conn, requests int, bodies map[string]string) bool {
	in.Reset(c)
	for range requests {
		req, err := http.ReadRequest(in)
		if err != nil {
			return false
		}
		body := bodies[req.URL.Path]
		if _, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
			return false
		}
	}
	return true
}
