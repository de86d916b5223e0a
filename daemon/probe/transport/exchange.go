package transport

import (
	"bufio"
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/probe/term"
)

// An exchange is one request in progress over a connection. It is also the body of the
// answer: when that is closed, the connection is kept or dropped.
type exchange struct {
	keeper *keeper
	ctx    context.Context
	conn   net.Conn      // nil: it was released
	in     *bufio.Reader // nil like conn

	unwatch     func() bool    // see context.AfterFunc
	interrupted sync.WaitGroup // done when the connection was

	answer  *http.Response
	body    io.Reader
	left    int64 // bytes that may still be read
	written bool  // the whole request
	ended   bool  // the body was read to its end
}

// readers are the unused ones: a connection needs a buffer only while it is in use.
var readers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// send sends a request over c, and owns c from here on.
func (k *keeper) send(ctx context.Context, c net.Conn, req *Request) (*http.Response, error) {
	w := &exchange{keeper: k, ctx: ctx, conn: c, in: readers.Get().(*bufio.Reader), left: MaxHeader}
	w.in.Reset(limited{w})
	w.watch()
	if isKeyless(c) {
		req = req.with(k.bare)
	}
	res, err := w.ask(req)
	if err != nil {
		w.release(false)
		return nil, orEnd(w.ctx, err)
	}
	w.left = math.MaxInt64
	w.answer, w.body, res.Body = res, res.Body, w
	return res, nil
}

// watch interrupts the connection when the context ends.
func (w *exchange) watch() {
	w.interrupted.Add(1)
	w.unwatch = term.AfterFunc(w.ctx, w.interrupt)
}

func (w *exchange) interrupt() {
	defer w.interrupted.Done()
	_ = w.conn.SetDeadline(time.Unix(1, 0)) // long ago
}

// ask writes the request and reads the answer up to its body. An answer counts even if the
// server did not read the whole request.
func (w *exchange) ask(req *Request) (*http.Response, error) {
	wire, err := req.bytes()
	if err != nil {
		return nil, err
	}
	_, err = w.conn.Write(wire)
	w.written = err == nil
	for {
		// One limit applies to the headers of all of them together, which bounds the number
		// of interim answers.
		res, err := http.ReadResponse(w.in, nil)
		if err != nil || !isInterim(res.StatusCode) {
			return res, err
		}
	}
}

// isInterim reports whether the final answer follows. After 101 no HTTP follows.
func isInterim(status int) bool {
	return status/100 == 1 && status != http.StatusSwitchingProtocols
}

// Read reads the body.
func (w *exchange) Read(b []byte) (int, error) {
	if w.conn == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := w.body.Read(b)
	switch {
	case err == io.EOF:
		w.ended = true
	case err != nil:
		err = orEnd(w.ctx, err)
	}
	return n, err
}

// Close ends the exchange. The rest of the body is not read, because it may be endless.
func (w *exchange) Close() error {
	if w.conn != nil {
		w.release(w.written && w.ended && !w.answer.Close && w.answer.StatusCode >= 200)
	}
	return nil
}

// release returns the buffers, and keeps the connection if it is as good as new: reusable,
// not interrupted, and without stray bytes.
func (w *exchange) release(reusable bool) {
	if !w.unwatch() {
		w.interrupted.Wait()
		reusable = false
	}
	if isKeyless(w.conn) {
		reusable = false // the next connection checks again who listens there
	}
	if reusable && w.in.Buffered() == 0 {
		w.keeper.kept = w.conn
	} else {
		_ = w.conn.Close() // nothing more is expected of it
	}
	w.in.Reset(nil)
	readers.Put(w.in)
	w.conn, w.in = nil, nil
}

// limited limits what is read from the connection for the headers, but not for the body.
type limited struct{ *exchange }

func (l limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, ErrHeaderSize
	}
	n, err := l.conn.Read(b[:min(int64(len(b)), l.left)])
	l.left -= int64(n)
	return n, err
}
