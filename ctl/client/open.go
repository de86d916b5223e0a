package client

import (
	"context"
	"errors"
	"io"
)

// A Reply is a reply of the daemon, as it came: success, error or stream. Its body is still on
// its way. Close it.
type Reply struct {
	Status      int
	ContentType string
	Length      int64 // of the body; −1 if not known beforehand
	Stream      bool  // the body is NDJSON, a line at a time

	rep *reply
	ctx context.Context // of the call; its end ends the body
}

// Open sends a request, and returns the reply once it begins. It is for programs that pass the
// reply on; others use [Client.Do] or [Client.Stream]. The end of ctx ends the body.
func (c *Client) Open(ctx context.Context, req Request) (*Reply, error) {
	rep, err := c.send(ctx, req)
	if err != nil {
		return nil, err
	}
	r := &Reply{Status: rep.status, ContentType: rep.kind, Length: rep.length, Stream: rep.stream, rep: rep, ctx: ctx}
	if r.Stream {
		rep.patience = c.timeout() + heartbeat
	}
	return r, nil
}

// Read reads the body. It returns io.EOF only at the end of a complete body.
func (r *Reply) Read(p []byte) (int, error) {
	if r.Stream {
		r.rep.extend(0)
	}
	n, err := r.rep.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = r.rep.explain(r.ctx, err)
	}
	return n, err
}

// Close ends the call.
func (r *Reply) Close() error {
	r.rep.close()
	return nil
}
