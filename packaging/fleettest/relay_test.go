package fleettest

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A relay is a port on loopback that passes connections on to a server of etcd's, until it
// is told not to.
type relay struct {
	url  string
	dial func() (net.Conn, error) // to the server

	accepted atomic.Int64 // connections

	mu      sync.Mutex
	resumed chan struct{} // closed: bytes pass
	refuses bool
	conns   map[net.Conn]bool
}

func newRelay(t testing.TB, url string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	to := strings.TrimPrefix(url, "https://")
	return relayTo(t, l, func() (net.Conn, error) { return net.Dial("tcp", to) })
}

// relayTo passes on what a listener accepts.
func relayTo(t testing.TB, l net.Listener, dial func() (net.Conn, error)) *relay {
	t.Helper()
	r := &relay{url: "https://" + l.Addr().String(), dial: dial, resumed: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(r.resumed)
	var running sync.WaitGroup
	running.Go(func() { r.accept(l, &running) })
	t.Cleanup(func() {
		l.Close()
		r.refuse()
		r.resume()
		running.Wait()
	})
	return r
}

func (r *relay) accept(l net.Listener, running *sync.WaitGroup) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		r.accepted.Add(1)
		out, err := r.dial()
		if err != nil || !r.add(in, out) {
			in.Close()
			if out != nil {
				out.Close()
			}
			continue
		}
		running.Go(func() { r.pass(in, out) })
		running.Go(func() { r.pass(out, in) })
	}
}

func (r *relay) add(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		r.conns[c] = true
	}
	return !r.refuses
}

func (r *relay) pass(from, to net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		r.mu.Lock()
		resumed := r.resumed
		r.mu.Unlock()
		<-resumed
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil {
			return
		}
	}
}

// hold keeps bytes back in both directions, as a cable that is unplugged does.
func (r *relay) hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resumed = make(chan struct{})
}

// resume lets the bytes pass that hold kept back.
func (r *relay) resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.resumed:
	default:
		close(r.resumed)
	}
}

// refuse ends all connections, and lets no new one in.
func (r *relay) refuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuses = true
	for c := range r.conns {
		c.Close()
	}
	clear(r.conns)
}

func (r *relay) allow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuses = false
}
