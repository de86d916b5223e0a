package probe_test

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Tests about time run in a synctest bubble, where a timeout ends as soon as nothing else
// is left to do, so a busy machine makes no answer late. A bubble has no sockets: a network
// connects a probe and its server there.
type network struct {
	accepted  chan net.Conn
	closed    chan struct{}
	close     func()
	datagrams bool
}

// newNetwork makes a network that ends with the test.
func newNetwork(t testing.TB, datagrams bool) *network {
	n := &network{accepted: make(chan net.Conn), closed: make(chan struct{}), datagrams: datagrams}
	n.close = sync.OnceFunc(func() { close(n.closed) })
	t.Cleanup(n.close)
	return n
}

// dial connects to whatever accepts, at any address; perhaps nothing does.
func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := newPipe(n.datagrams)
	select {
	case n.accepted <- theirs:
		return ours, nil
	case <-n.closed:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.accepted:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error   { n.close(); return nil }
func (n *network) Addr() net.Addr { return pipeAddress }

var pipeAddress = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}

// newPipe makes the two ends of a connection. Unlike net.Pipe's, they buffer what is
// written, as a kernel does.
func newPipe(datagrams bool) (a, b *pipeEnd) {
	one, other := newWay(datagrams), newWay(datagrams)
	return &pipeEnd{in: one, out: other}, &pipeEnd{in: other, out: one}
}

// A pipeEnd is one end of a connection. Writes never block.
type pipeEnd struct{ in, out *way }

func (e *pipeEnd) Read(b []byte) (int, error)        { return e.in.read(b) }
func (e *pipeEnd) Write(b []byte) (int, error)       { return e.out.write(b) }
func (e *pipeEnd) LocalAddr() net.Addr               { return pipeAddress }
func (e *pipeEnd) RemoteAddr() net.Addr              { return pipeAddress }
func (e *pipeEnd) SetDeadline(t time.Time) error     { return e.in.until(t) }
func (e *pipeEnd) SetReadDeadline(t time.Time) error { return e.in.until(t) }
func (e *pipeEnd) SetWriteDeadline(time.Time) error  { return nil }

func (e *pipeEnd) CloseWrite() error { e.out.end(&e.out.ended); return nil }

func (e *pipeEnd) Close() error {
	e.in.end(&e.in.unread)
	e.out.end(&e.out.ended)
	return nil
}

// A way leads from one end to the other.
type way struct {
	datagrams bool

	mu       sync.Mutex
	changed  *sync.Cond
	pieces   [][]byte
	ended    bool // nothing will be written any more
	unread   bool // nor read
	deadline time.Time
	alarm    *time.Timer
}

func newWay(datagrams bool) *way {
	w := &way{datagrams: datagrams}
	w.changed = sync.NewCond(&w.mu)
	return w
}

func (w *way) read(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		switch {
		case w.unread:
			return 0, net.ErrClosed
		case !w.deadline.IsZero() && !time.Now().Before(w.deadline):
			return 0, os.ErrDeadlineExceeded
		case len(w.pieces) > 0:
			n := copy(b, w.pieces[0])
			if w.pieces[0] = w.pieces[0][n:]; w.datagrams || len(w.pieces[0]) == 0 {
				w.pieces = w.pieces[1:]
			}
			return n, nil
		case w.ended:
			return 0, io.EOF
		}
		w.changed.Wait()
	}
}

func (w *way) write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.ended:
		return 0, net.ErrClosed
	case w.unread:
		return 0, syscall.EPIPE
	case w.datagrams || len(b) > 0:
		w.pieces = append(w.pieces, append([]byte(nil), b...))
		w.changed.Broadcast()
	}
	return len(b), nil
}

func (w *way) end(how *bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*how = true
	if w.alarm != nil {
		w.alarm.Stop()
	}
	w.changed.Broadcast()
}

func (w *way) until(deadline time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.alarm != nil {
		w.alarm.Stop()
	}
	if w.deadline = deadline; !deadline.IsZero() {
		w.alarm = time.AfterFunc(time.Until(deadline), func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.changed.Broadcast()
		})
	}
	w.changed.Broadcast()
	return nil
}
