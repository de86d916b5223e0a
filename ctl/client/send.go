package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A reply is an answer whose body is still on its way.
type reply struct {
	head
	io.Reader // the body
	conn      conn
	patience  time.Duration // how long it may take
	stop      func() bool   // unties the connection from the context
}

// extend restarts the time that the reply may take, and adds to it.
func (r *reply) extend(more time.Duration) {
	r.patience += more
	r.conn.SetDeadline(time.Now().Add(r.patience)) // an error shows at the next read
}

// send connects, writes the request and reads the reply's head. The end of the context
// closes the connection, which ends all reads from it.
func (c *Client) send(ctx context.Context, req Request) (*reply, error) {
	message, err := req.encode()
	if err != nil {
		return nil, err
	}
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	rep := &reply{conn: conn, patience: c.timeout() + req.Wait}
	rep.extend(0)
	rep.stop = context.AfterFunc(ctx, func() { conn.Close() })
	// A daemon that refuses a request may answer before it has read all of it, so the
	// answer counts even if writing failed.
	_, writeErr := conn.Write(message)
	buffered := bufio.NewReaderSize(conn, maxHead)
	rep.head, err = readHead(buffered)
	if err != nil {
		if writeErr != nil {
			err = writeErr
		}
		err = rep.explain(ctx, err)
		rep.close()
		return nil, err
	}
	rep.Reader = rep.head.body(buffered)
	return rep, nil
}

func (r *reply) close() {
	r.stop()
	r.conn.Close()
}

// readAll reads a body of at most limit bytes.
func (r *reply) readAll(limit int64) ([]byte, error) {
	tooLarge := func() error { return protocolError("a body larger than %d bytes", limit) }
	if r.chunked {
		body, err := io.ReadAll(io.LimitReader(r, limit+1))
		if err == nil && int64(len(body)) > limit {
			err = tooLarge()
		}
		return body, err
	}
	if r.length > limit {
		return nil, tooLarge()
	}
	body := make([]byte, r.length)
	_, err := io.ReadFull(r, body)
	return body, err
}

// explain turns a failure to read the reply into what it means to the caller.
func (r *reply) explain(ctx context.Context, err error) error {
	where := r.conn.Name()
	switch {
	case ctx.Err() != nil:
		return contextError(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return provider.Errorf(provider.TimedOut, "it may be stopped or stuck: look at its log, or restart it",
			"the daemon at %s did not answer within %v", where, r.patience)
	case errors.Is(err, errProtocol):
		return provider.Errorf(provider.DaemonUnreachable, "something else may listen there: check --socket and PROVIDERD_SOCKET",
			"%s is not providerd: %v", where, err)
	default:
		return &absent{provider.Errorf(provider.DaemonUnreachable, "it may be restarting: try again, then look at its log",
			"the daemon at %s closed the connection before its answer was complete: %v", where, err)}
	}
}

// contextError is the error for a context that ended. It wraps the context's own error,
// beside the vocabulary's code.
func contextError(ctx context.Context) error {
	if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("asking the daemon: %w", err)
	}
	e := provider.Errorf(provider.TimedOut, "it may be stopped or stuck: look at its log, or restart it", "the daemon did not answer in time")
	return fmt.Errorf("%w (%w)", e, context.DeadlineExceeded)
}

// encode writes the request as it goes over the wire.
func (req Request) encode() ([]byte, error) {
	method := req.Method
	if method == "" {
		method = "GET"
	}
	for _, part := range []string{method, req.Path} {
		if part == "" || !allVisible(part) {
			return nil, provider.Errorf(provider.BadRequest, "escape it", "not a request: %q %q", method, req.Path)
		}
	}
	b := make([]byte, 0, 256+len(req.Path)+len(req.Body))
	b = append(b, method...)
	b = append(b, ' ')
	b = append(b, req.Path...)
	b = append(b, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"...)
	if req.Body != nil {
		b = append(b, "Content-Type: application/json\r\n"...)
	}
	if method != "GET" {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(req.Body)), 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	if len(b) > maxHead { // the daemon would refuse it in plain text
		return nil, provider.Errorf(provider.TooLarge, "name fewer at a time, or none for all of them",
			"the request is too long: %d bytes before its body, at most %d are allowed", len(b), maxHead)
	}
	return append(b, req.Body...), nil
}

// allVisible reports whether s has nothing that could end a request line.
func allVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
