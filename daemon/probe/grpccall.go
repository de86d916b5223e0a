package probe

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"

	"github.com/providerd/providerd/daemon/probe/transport"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// maxHealth is the limit for a message in bytes; an answer has two.
const maxHealth = 4 << 10

// A healthCall is a finished call of Health.Check.
type healthCall struct {
	status  health.HealthCheckResponse_ServingStatus // when code is OK
	code    codes.Code
	message string
	said    bool   // the server sent code; else it is the library's
	heard   string // the first bytes that came
	alert   error  // with which the server ended TLS; nil: it did not
	ended   error  // the context's, when it ended first
}

// answer is "SERVING" or "NotFound: unknown service".
func (c *healthCall) answer() string {
	if c.code == codes.OK {
		return c.status.String()
	}
	return strings.TrimSuffix(c.code.String()+": "+c.message, ": ")
}

// isUnreadable reports whether the code is the library's, because it could not read the
// server's message.
func (c *healthCall) isUnreadable() bool {
	return c.code != codes.OK && (strings.HasPrefix(c.message, "grpc: ") || strings.HasPrefix(c.message, "cardinality violation"))
}

// callHealth connects, as every kind does, and makes one call over that connection. Its
// error is that of connecting. The library cannot look anything up, connect by itself or
// retry, and leaves nothing running.
func callHealth(ctx context.Context, r *run, service string) (*healthCall, error) {
	c := &healthCall{}
	raw, err := r.connected(ctx)
	if err != nil {
		return nil, err
	}
	link := newLink(raw)
	defer endWith(ctx, raw)()
	client, err := grpc.NewClient("passthrough:///provider",
		grpc.WithContextDialer(link.dial),
		grpc.WithTransportCredentials(secured{insecure.NewCredentials(), r.p.base.Scheme == "grpcs"}),
		grpc.WithAuthority(r.p.base.Host),
		grpc.WithUserAgent(r.p.header.Get("User-Agent")),
		grpc.WithStatsHandler(&hearing{said: &link.said}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxHealth)),
		grpc.WithMaxHeaderListSize(transport.MaxHeader),
		grpc.WithNoProxy(), grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithDisableHealthCheck(),
		grpc.WithIdleTimeout(0),
	)
	if err != nil {
		_ = raw.Close() // nothing was said over it
		return nil, err
	}
	reply, err := health.NewHealthClient(client).Check(ctx, &health.HealthCheckRequest{Service: service})
	s := status.Convert(err)
	c.status, c.code, c.message = reply.GetStatus(), s.Code(), s.Message()
	c.said, c.heard, c.ended = link.said.Load(), link.Heard(), context.Cause(ctx)
	if c.said {
		c.ended = nil
	}
	if alert := link.alert.Load(); alert != nil {
		c.alert = *alert
	}
	_ = client.Close() // its result is known
	_ = raw.Close()    // in case the library never took it
	return c, nil
}

// connected makes the connection for gRPC.
func (r *run) connected(ctx context.Context) (net.Conn, error) {
	scheme := "http"
	if r.p.base.Scheme == "grpcs" {
		scheme = "https"
	}
	return r.p.dialer.Open(ctx, r.trace, scheme, r.p.dialer.Address)
}

// A link is the one connection of a call. HTTP/2 allows the server to speak first.
type link struct {
	*transport.Conn
	taken, said atomic.Bool
	alert       atomic.Pointer[error]
}

// Read keeps an alert, which the library reports like any other failure.
func (l *link) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if transport.IsAlert(err) {
		l.alert.Store(&err)
	}
	return n, err
}

func newLink(c net.Conn) *link {
	l := &link{}
	plain, ok := c.(*transport.Conn)
	if !ok {
		plain = &transport.Conn{Conn: c}
	}
	plain.Expect()
	l.Conn = plain
	return l
}

var errTaken = errors.New("the connection is already used")

// dial hands out the connection, once.
func (l *link) dial(context.Context, string) (net.Conn, error) {
	if l.taken.Swap(true) {
		return nil, errTaken
	}
	return l, nil
}

// secured tells the library that TLS, if any, is done.
type secured struct {
	credentials.TransportCredentials
	tls bool
}

func (s secured) Info() credentials.ProtocolInfo {
	info := s.TransportCredentials.Info()
	if s.tls {
		info.SecurityProtocol = "tls"
	}
	return info
}

func (s secured) Clone() credentials.TransportCredentials { return s }

// hearing notes that the server itself ended the call with a status. The library's errors
// look just the same.
type hearing struct{ said *atomic.Bool }

func (h *hearing) HandleRPC(_ context.Context, s stats.RPCStats) {
	if _, ok := s.(*stats.InTrailer); ok {
		h.said.Store(true)
	}
}

func (*hearing) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (*hearing) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*hearing) HandleConn(context.Context, stats.ConnStats)                       {}
