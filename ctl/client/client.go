// Package client talks to a running providerd over its control socket. It exists so that
// providerctl, and any other Go program, need not know the routes, the places of the
// socket or the error format.
//
// It imports only the standard library and x/sys, the vocabulary in store/provider, and
// store/trust and store/userns, which tell whose a socket is. It does not import net/http:
// the protocol is a small, fixed part of HTTP/1.1 between two programs of one product, and
// speaking it directly keeps the start of a command-line program short. Anything else is
// refused. On Unix it does not import net either; docs/decisions/providerctl-start.md says
// why.
//
// Each call makes its own connection, so a Client has nothing to close, and any number of
// goroutines may use it.
//
// # Errors
//
// A call returns a [*provider.Error] (through [errors.As]), of the daemon or of the
// client: daemon_unreachable if no daemon answers, denied if the caller may not open the
// socket, timed_out if the answer did not come in time. An error that a context caused
// also wraps the context's.
package client

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// Client is a client of the daemon. Its zero value works.
type Client struct {
	// Socket is the control socket's path, which is used whoever listens there.
	// Empty means to search for it, as [Client.Sockets] describes.
	Socket string

	// Getenv reads the environment during the search; nil means [os.Getenv].
	Getenv func(string) string

	// Passed is called with the error of a socket that is not used because another user
	// controls it, when a daemon answers at a later place. It can be nil.
	Passed func(error)

	// DialPatience is how long a dial is retried while there is no daemon, because it may
	// be starting. Zero means 2 s, less than zero a single try.
	DialPatience time.Duration

	// Timeout is how long a reply may take, in addition to the wait that the call asks
	// for. Zero means 10 s. For a stream it applies to the first byte, and then to each
	// line, in addition to the interval of the heartbeats.
	Timeout time.Duration
}

const (
	defaultPatience = 2 * time.Second
	defaultTimeout  = 10 * time.Second

	// maxBody bounds a plain reply: far more than the status of 10,000 providers, and far
	// less than what would harm the caller.
	maxBody = 64 << 20
)

func (c *Client) getenv(name string) string {
	if c.Getenv != nil {
		return c.Getenv(name)
	}
	return os.Getenv(name)
}

func (c *Client) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return defaultTimeout
}

// A Request is one call, for [Client.Do].
type Request struct {
	Method string        // empty means GET
	Path   string        // with its query, from one of the Path functions
	Body   []byte        // JSON; nil for none
	Wait   time.Duration // how long the daemon was asked to wait before it answers
}

// Do sends a request and returns the reply's body as it came. If the reply is not a
// success, it returns the body and the error in it.
func (c *Client) Do(ctx context.Context, req Request) ([]byte, error) {
	rep, err := c.send(ctx, req)
	if err != nil {
		return nil, err
	}
	defer rep.close()
	body, err := rep.readAll(maxBody)
	if err != nil {
		return nil, rep.explain(ctx, err)
	}
	return body, replyError(rep.head, body)
}

// Raw is [Client.Do] without a body or a wait.
func (c *Client) Raw(ctx context.Context, method, path string) ([]byte, error) {
	return c.Do(ctx, Request{Method: method, Path: path})
}

// replyError returns the error in a reply; nil for a success.
func replyError(head head, body []byte) error {
	if head.status/100 == 2 {
		return nil
	}
	var reply provider.ErrorReply
	if err := json.Unmarshal(body, &reply); err == nil && reply.Error != nil && reply.Error.Message != "" {
		return reply.Error
	}
	return provider.Errorf(provider.Internal, "see: providerctl logs",
		"the daemon answered %d %s without saying why", head.status, head.phrase)
}

// call sends a request and decodes its reply.
func call[T any](ctx context.Context, c *Client, req Request) (*T, error) {
	body, err := c.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	return decode[T](req.Path, body)
}

func decode[T any](path string, body []byte) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(body, v); err != nil {
		return nil, unreadable(path, err)
	}
	return v, nil
}

// unreadable is the error about a reply that has another form than this version expects.
func unreadable(path string, err error) *provider.Error {
	return provider.Errorf(provider.Internal,
		"daemon and client may have different versions: compare providerctl version with providerctl info",
		"reading the reply to %s: %v", path, err)
}
