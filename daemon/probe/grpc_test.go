package probe_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// grpcServer serves until the test ends.
func grpcServer(t *testing.T, h healthpb.HealthServer, options ...grpc.ServerOption) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(options...)
	if h != nil {
		healthpb.RegisterHealthServer(s, h)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); <-served })
	return l.Addr().String()
}

// checks answers Check with f.
type checks struct {
	healthpb.UnimplementedHealthServer
	f func(ctx context.Context, service string) (healthpb.HealthCheckResponse_ServingStatus, error)
}

func (c checks) Check(ctx context.Context, q *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	s, err := c.f(ctx, q.GetService())
	if err != nil {
		return nil, err
	}
	return &healthpb.HealthCheckResponse{Status: s}, nil
}

func always(s healthpb.HealthCheckResponse_ServingStatus, err error) checks {
	return checks{f: func(context.Context, string) (healthpb.HealthCheckResponse_ServingStatus, error) { return s, err }}
}

func TestGRPC_Health(t *testing.T) {
	t.Parallel()
	h := health.NewServer()
	h.SetServingStatus("my.Ready", healthpb.HealthCheckResponse_SERVING)
	h.SetServingStatus("my.Ill", healthpb.HealthCheckResponse_NOT_SERVING)
	known := "grpc://" + grpcServer(t, h)
	says := func(s healthpb.HealthCheckResponse_ServingStatus, err error) string {
		return "grpc://" + grpcServer(t, always(s, err))
	}
	fails := func(c codes.Code, message string) string { return says(0, status.Error(c, message)) }
	for _, tt := range []struct {
		name, base string
		saw        provider.Reason
		detail     string
	}{
		{"Serving", known, provider.OK, ""},
		{"ServingService", known + "/my.Ready", provider.OK, ""},
		{"NotServing", known + "/my.Ill", provider.ServerError, "NOT_SERVING"},
		{"UnknownService", known + "/my.Other", provider.NotFound, "does not know the service my.Other"},
		{"UnknownServer", fails(codes.NotFound, ""), provider.NotFound, "add a service's name after the port"},
		{"ServiceUnknown", says(healthpb.HealthCheckResponse_SERVICE_UNKNOWN, nil) + "/x", provider.NotFound, "service x"},
		{"Unknown", says(healthpb.HealthCheckResponse_UNKNOWN, nil), provider.ServerError, "UNKNOWN"},
		{"AnyOther", says(77, nil), provider.BadResponse, "77"},
		{"NoHealthService", "grpc://" + grpcServer(t, nil), provider.OK, "answers, but has no health service"},
		{"Unimplemented", fails(codes.Unimplemented, "not here"), provider.OK, "answers, but has no health service"},
		{"Unauthenticated", fails(codes.Unauthenticated, "no token"), provider.Unauthorized, "Unauthenticated: no token"},
		{"PermissionDenied", fails(codes.PermissionDenied, "not you"), provider.Forbidden, "PermissionDenied: not you"},
		{"ResourceExhausted", fails(codes.ResourceExhausted, "slow down"), provider.RateLimited, "ResourceExhausted: slow down"},
		{"Unavailable", fails(codes.Unavailable, "no healthy upstream"), provider.ServerError, "Unavailable: no healthy upstream"},
		{"Internal", fails(codes.Internal, ""), provider.ServerError, "Internal"},
		{"DeadlineExceeded", fails(codes.DeadlineExceeded, "upstream"), provider.Hung, "DeadlineExceeded: upstream"},
		{"InvalidArgument", fails(codes.InvalidArgument, "what"), provider.BadResponse, "InvalidArgument: what"},
		{"CodeOfItsOwn", fails(99, "what"), provider.ServerError, "Code(99): what"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := once(t, configured(t, "grpc", tt.base, ""), probe.Options{}, probe.Ask{Facts: true, DialFirst: true})
			if o.Saw != tt.saw || !strings.Contains(o.Detail, tt.detail) || tt.detail == "" && o.Detail != "" {
				t.Errorf("saw %s %q, want %s %q", o.Saw, o.Detail, tt.saw, tt.detail)
			}
			if truth(o.PortListening) != "yes" || truth(o.APIResponding) == "no" != (tt.saw == provider.BadResponse) {
				t.Errorf("port listening: %s, api responding: %s", truth(o.PortListening), truth(o.APIResponding))
			}
			if c := o.Evidence.Checks; len(c) != 1 || c[0].Asked == "" || c[0].Answer == "" || len(o.Evidence.Dial) != 1 || o.Latency <= 0 {
				t.Errorf("evidence: %+v %+v after %s", c, o.Evidence.Dial, o.Latency)
			}
		})
	}
}

func TestGRPC_TLS(t *testing.T) {
	t.Parallel()
	const good = 90 * day
	var config *tls.Config
	_, roots := lasting(t, good, good, func(c *tls.Config) { config = c })
	_, others := lasting(t, good, good, nil)
	secure := grpcServer(t, health.NewServer(), grpc.Creds(credentials.NewTLS(config.Clone())))
	plain := grpcServer(t, health.NewServer())
	webOnly := config.Clone()
	webOnly.NextProtos = []string{"http/1.1"}
	web, err := tls.Listen("tcp", "127.0.0.1:0", webOnly)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(attend(web, func(c net.Conn) { _ = c.(*tls.Conn).Handshake() }))
	for _, tt := range []struct {
		name, base string
		roots      *x509.CertPool
		saw        provider.Reason
		detail     string
	}{
		{"Good", "grpcs://" + secure, roots, provider.OK, ""},
		{"UnknownIssuer", "grpcs://" + secure, others, provider.TLSFailure, "unknown authority"},
		{"WrongName", "grpcs://" + strings.Replace(secure, "127.0.0.1", "localhost", 1), roots, provider.TLSFailure, "localhost"},
		{"PlainToTLS", "grpc://" + secure, roots, provider.TLSFailure, "should begin with grpcs://"},
		{"TLSToPlain", "grpcs://" + plain, roots, provider.TLSFailure, "does not speak TLS"},
		{"NoHTTP2", "grpcs://" + web.Addr().String(), roots, provider.WrongService, "not HTTP/2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := once(t, configured(t, "grpc", tt.base, ""), probe.Options{RootCAs: tt.roots, Now: func() time.Time { return noon }}, probe.Ask{})
			if o.Saw != tt.saw || !strings.Contains(o.Detail, tt.detail) {
				t.Errorf("saw %s %q, want %s %q", o.Saw, o.Detail, tt.saw, tt.detail)
			}
			if strings.HasPrefix(tt.base, "grpcs") && (o.Evidence.TLS == nil || (o.Evidence.TLS.Error == "") != (tt.saw == provider.OK)) {
				t.Errorf("evidence of the handshake: %+v", o.Evidence.TLS)
			}
		})
	}
}

// frames speaks HTTP/2 by hand: f is called once the request's headers have come.
func frames(t *testing.T, f func(*http2.Framer)) (address string) {
	t.Helper()
	return talk(t, false, inFrames(f))
}

func inFrames(f func(*http2.Framer)) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := io.CopyN(io.Discard, c, int64(len(http2.ClientPreface))); err != nil {
			return
		}
		fr := http2.NewFramer(c, c)
		_ = fr.WriteSettings()
		for {
			frame, err := fr.ReadFrame()
			if err != nil {
				return
			}
			if h, ok := frame.(*http2.HeadersFrame); ok && h.StreamID == 1 {
				break
			}
		}
		f(fr)
		_, _ = io.Copy(io.Discard, c)
	}
}

func fields(pairs ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(pairs); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	return b.Bytes()
}

func headersFrame(fr *http2.Framer, end bool, pairs ...string) {
	_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: fields(pairs...), EndStream: end, EndHeaders: true})
}

// message is in gRPC's form: a flag for compression, its length, and the message.
func message(compressed byte, body string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{compressed}, uint32(len(body))), body...)
}

// TestGRPC_Hostile is about what a server can send instead of an answer. TestSilence_GRPC
// is about what it does not send.
func TestGRPC_Hostile(t *testing.T) {
	t.Parallel()
	at := func(address string) func(*testing.T) string { return func(*testing.T) string { return address } }
	by := func(f func(*http2.Framer)) func(*testing.T) string {
		return func(t *testing.T) string { return frames(t, f) }
	}
	over2 := func(h http.HandlerFunc) func(*testing.T) string {
		return func(t *testing.T) string {
			ts := httptest.NewUnstartedServer(h)
			ts.Config.Protocols = new(http.Protocols)
			ts.Config.Protocols.SetUnencryptedHTTP2(true)
			ts.Start()
			t.Cleanup(ts.Close)
			return ts.Listener.Addr().String()
		}
	}
	page := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	answers := func(body []byte, extra ...string) func(*http2.Framer) {
		return func(fr *http2.Framer) {
			headersFrame(fr, false, append([]string{":status", "200", "content-type", "application/grpc"}, extra...)...)
			_ = fr.WriteData(1, false, body)
			headersFrame(fr, true, "grpc-status", "0")
		}
	}
	for _, tt := range []struct {
		name    string
		address func(*testing.T) string
		saw     provider.Reason
		detail  string
	}{
		{"Refused", at(unused(t)), provider.ConnectionRefused, "refused"},
		{"Closes", at(talk(t, false, func(net.Conn) {})), provider.ConnectionReset, "closed before an answer"},
		{"Resets", at(talk(t, false, func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) })), provider.ConnectionReset, ""},
		{"HTTP1", func(t *testing.T) string {
			return strings.TrimPrefix(serve(t, jsonPage(`{}`).ServeHTTP).url, "http://")
		}, provider.WrongService, "it speaks HTTP/1"},
		{"Banner", at(talk(t, false, func(c net.Conn) {
			_, _ = io.WriteString(c, "SSH-2.0-OpenSSH_10.0\r\n")
			_, _ = io.Copy(io.Discard, c)
		})), provider.WrongService, `it sent "SSH-2.0-OpenSSH_10.0`},
		{"HTTP2Page", over2(page(200, "<html>hello</html>")), provider.WrongService, "an HTTP/2 server answers, not gRPC"},
		{"HTTP2NotFound", over2(page(404, "no")), provider.WrongService, "404"}, // the library calls it UNIMPLEMENTED
		{"HTTP2Unauthorized", over2(page(401, "no")), provider.Unauthorized, "401"},
		{"HTTP2Forbidden", over2(page(403, "no")), provider.Forbidden, "403"},
		{"HTTP2Unavailable", over2(page(503, "no")), provider.ServerError, "503"},
		{"GoAwayUnprocessed", by(func(fr *http2.Framer) { _ = fr.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, []byte("too_many_pings")) }), provider.ConnectionReset, "closed before"},
		{"ResetStream", by(func(fr *http2.Framer) { _ = fr.WriteRSTStream(1, http2.ErrCodeInternal) }), provider.BadResponse, "RST_STREAM"},
		{"BrokenFrames", by(func(fr *http2.Framer) { _ = fr.WriteRawFrame(http2.FrameHeaders, 0, 0, []byte("garbage")) }), provider.ConnectionReset, ""},
		{"NoMessage", by(func(fr *http2.Framer) {
			headersFrame(fr, false, ":status", "200", "content-type", "application/grpc")
			headersFrame(fr, true, "grpc-status", "0")
		}), provider.BadResponse, "broken"},
		{"NoTrailers", by(func(fr *http2.Framer) {
			headersFrame(fr, false, ":status", "200", "content-type", "application/grpc")
			_ = fr.WriteData(1, true, message(0, "\x08\x01"))
		}), provider.BadResponse, "without sending trailers"},
		{"Serving", by(answers(message(0, "\x08\x01"))), provider.OK, ""},
		{"NotProtobuf", by(answers(message(0, "\xff\xff\xff"))), provider.BadResponse, "broken"},
		{"Oversized", by(answers(message(0, strings.Repeat("a", 5<<10)))), provider.BadResponse, "larger than max"},
		{"PromisesMuch", by(answers([]byte{0, 0xff, 0xff, 0xff, 0xff})), provider.BadResponse, "larger than max"},
		{"Compressed", by(answers(message(1, "x"), "grpc-encoding", "snappy")), provider.BadResponse, "Decompressor"},
		{"ManyHeaders", by(answers(message(0, "\x08\x01"), "x-a", strings.Repeat("a", 8<<10), "x-b", strings.Repeat("b", 4<<10))), provider.OK, ""},
		{"TooManyHeaders", by(func(fr *http2.Framer) {
			block := fields(":status", "200", "content-type", "application/grpc", "x-a", strings.Repeat("a", 128<<10))
			_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:16000]})
			for block = block[16000:]; len(block) > 16000; block = block[16000:] {
				_ = fr.WriteContinuation(1, false, block[:16000])
			}
			_ = fr.WriteContinuation(1, true, block)
		}), provider.ConnectionReset, "closed before"},
		{"OddStatus", by(func(fr *http2.Framer) {
			headersFrame(fr, true, ":status", "200", "content-type", "application/grpc", "grpc-status", "many")
		}), provider.BadResponse, "grpc-status"},
		{"NoStatus", by(func(fr *http2.Framer) {
			headersFrame(fr, true, ":status", "200", "content-type", "application/grpc")
		}), provider.ServerError, "Unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := configured(t, "grpc", "grpc://"+tt.address(t), "")
			o := once(t, p, probe.Options{}, probe.Ask{})
			if o.Saw != tt.saw || !strings.Contains(o.Detail, tt.detail) {
				t.Errorf("saw %s %q, want %s %q", o.Saw, o.Detail, tt.saw, tt.detail)
			}
			if c := o.Evidence.Checks; len(c) != 1 {
				t.Errorf("evidence: %+v", c)
			}
		})
	}
}

func TestGRPC_Cancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	address := grpcServer(t, checks{f: func(ctx context.Context, _ string) (healthpb.HealthCheckResponse_ServingStatus, error) {
		cancel()
		<-ctx.Done()
		return 0, ctx.Err()
	}})
	o := newProber(t, configured(t, "grpc", "grpc://"+address, ""), probe.Options{}).Probe(ctx, probe.Ask{})
	if o.Saw != "" || !strings.Contains(o.Detail, "aborted") {
		t.Errorf("saw %q %q, want nothing to judge", o.Saw, o.Detail)
	}
}

func TestGRPC_Settings(t *testing.T) {
	t.Parallel()
	for base, problem := range map[string]string{
		"grpc://127.0.0.1:50051":              "",
		"grpcs://[::1]:50051/my.pkg.Service":  "",
		"grpc://127.0.0.1:50051/my.pkg/Check": "only the name of a service",
	} {
		_, err := probe.New(new(configured(t, "grpc", base, "")), probe.Options{})
		if (err == nil) != (problem == "") || err != nil && !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: %v, want %q", base, err, problem)
		}
	}
}
