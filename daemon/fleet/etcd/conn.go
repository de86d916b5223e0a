package etcd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// A conn is a connection to a server of etcd's.
type conn struct {
	endpoint endpoint
	client   *grpc.ClientConn
	wire     *wire
	ours     *x509.Certificate // nil: none
	prefix   string            // of the keys that it is for
}

func (c *conn) close() {
	_ = c.client.Close() // nothing of it is used any more
	_ = c.wire.Close()   // in case the library never took it
}

// A wire is the one connection that the library is given. It cannot make another, so that
// each failure is seen here.
type wire struct {
	net.Conn
	taken atomic.Bool
	heard atomic.Bool           // a byte came
	alert atomic.Pointer[error] // with which the server ended TLS
}

// Read keeps an alert, which the library reports like any other failure. With TLS 1.3 the
// server refuses a certificate after the handshake.
func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if n > 0 {
		w.heard.Store(true)
	}
	if isAlert(err) {
		w.alert.Store(&err)
	}
	return n, err
}

// listen waits for an alert on a connection of its own, over which nothing is said. If a
// server refuses our certificate while the library writes, the alert can be lost.
func (b *Bus) listen(ctx context.Context, c *conn) {
	if !c.endpoint.tls || c.wire.heard.Load() || c.wire.alert.Load() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, min(time.Second, b.Unanswered/3))
	defer cancel()
	raw, err := b.connect(ctx, "tcp", c.endpoint.address)
	if err != nil {
		return
	}
	defer raw.Close()
	again := &conn{endpoint: c.endpoint, wire: &wire{Conn: raw}}
	if again.shake(ctx, b.TLS) != nil {
		return
	}
	defer context.AfterFunc(ctx, func() { _ = raw.Close() })()
	_, _ = again.wire.Read(make([]byte, 1)) // it notes the alert
	if alert := again.wire.alert.Load(); alert != nil {
		c.wire.alert.Store(alert)
	}
}

var errTaken = errors.New("the connection is over")

// isAlert reports whether the other side ended TLS with an alert. Its type is not exported.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

func (w *wire) dial(context.Context, string) (net.Conn, error) {
	if w.taken.Swap(true) {
		return nil, errTaken
	}
	return w, nil
}

// dial connects to an endpoint, TLS included.
func (b *Bus) dial(ctx context.Context, e endpoint) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, min(b.Call, b.Unanswered/3))
	defer cancel()
	raw, err := b.connect(ctx, "tcp", e.address)
	if err != nil {
		return nil, err
	}
	c := &conn{endpoint: e, wire: &wire{Conn: raw}, prefix: b.Prefix}
	if e.tls {
		if err := c.shake(ctx, b.TLS); err != nil {
			_ = raw.Close() // the handshake's error is the one to report
			return nil, err
		}
	}
	c.client, err = grpc.NewClient("passthrough:///etcd",
		grpc.WithContextDialer(c.wire.dial),
		grpc.WithTransportCredentials(done{insecure.NewCredentials(), e.tls}),
		grpc.WithAuthority(e.address),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(codec{}), grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithMaxHeaderListSize(maxHeader),
		grpc.WithNoProxy(), grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithDisableHealthCheck(),
		grpc.WithIdleTimeout(0),
	)
	if err != nil {
		_ = c.wire.Close() // nothing was said over it
		return nil, err
	}
	return c, nil
}

// shake does the TLS handshake.
func (c *conn) shake(ctx context.Context, files func() (*tls.Config, error)) error {
	config, err := files()
	if err != nil {
		return &fileError{err}
	}
	config = config.Clone()
	config.ServerName = c.endpoint.host
	config.NextProtos = []string{"h2"}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	if len(config.Certificates) > 0 && config.Certificates[0].Leaf != nil {
		c.ours = config.Certificates[0].Leaf
	}
	s := tls.Client(c.wire.Conn, config)
	if err := s.HandshakeContext(ctx); err != nil {
		return &handshakeError{err, c.ours}
	}
	c.wire.Conn = s
	return nil
}

// Files reads the authority of the servers' certificates, and our certificate with its key.
func Files(ca, cert, key string) func() (*tls.Config, error) {
	return func() (*tls.Config, error) {
		authority, err := readFile(ca)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(authority) {
			return nil, fmt.Errorf("%s: no certificate in it", ca)
		}
		certificate, err := readFile(cert)
		if err != nil {
			return nil, err
		}
		secret, err := readFile(key)
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(certificate, secret)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", cert, key, err)
		}
		return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
	}
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const limit = 1 << 20
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && len(b) > limit {
		err = fmt.Errorf("%s: larger than 1 MiB", name)
	}
	return b, err
}

// done tells the library that TLS, if any, is done.
type done struct {
	credentials.TransportCredentials
	tls bool
}

func (d done) Info() credentials.ProtocolInfo {
	info := d.TransportCredentials.Info()
	if d.tls {
		info.SecurityProtocol = "tls"
	}
	return info
}

func (d done) Clone() credentials.TransportCredentials { return d }

// leader makes a server without a leader refuse a call, or end a stream, at once. Without it
// the watch of a server that is cut off from the others is silent.
func leader(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "hasleader", "true")
}

// call makes a call within the limit of its time.
func (b *Bus) call(ctx context.Context, c *conn, method string, req request, resp response) error {
	ctx, cancel := context.WithTimeout(ctx, b.Call)
	defer cancel()
	return c.client.Invoke(leader(ctx), "/etcdserverpb."+method, req, resp)
}

// A stream is a call of several messages. It ends with its context.
type stream struct {
	grpc.ClientStream
	conn *conn
	ctx  context.Context // ours, which the library does not end
	end  context.CancelFunc
}

// open begins a stream that lasts until life ends. The connection must be ready before within
// ends.
func open(life, within context.Context, c *conn, method string) (*stream, error) {
	ctx, cancel := context.WithCancel(leader(life))
	defer context.AfterFunc(within, cancel)()
	s, err := c.client.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/etcdserverpb."+method)
	if err != nil {
		if ctx.Err() != nil {
			err = errSilent
		}
		cancel()
		return nil, err
	}
	return &stream{s, c, ctx, cancel}, nil
}

// receive waits for a message, and ends the stream if none comes before within ends.
func (s *stream) receive(within context.Context, into response) error {
	defer context.AfterFunc(within, s.end)()
	err := s.RecvMsg(into)
	if err != nil && s.ctx.Err() != nil {
		return errSilent
	}
	return err
}

var errSilent = errors.New("no answer in time")
