package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"google.golang.org/grpc/codes"
	health "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/store/provider"
)

const exampleGRPC = "grpc://127.0.0.1:50051"

// grpcService is a gRPC server, asked for its health or for that of the service in the path
// (grpc/health/v1/health.proto of grpc/grpc-proto): grpc:// without TLS, grpcs:// with it.
// Not every gRPC server has the health service. One that says so is up all the same.
var grpcService = kind{
	Kind: config.Kind{
		Name:    "grpc",
		Type:    provider.Generic,
		Schemes: []string{"grpc", "grpcs"},
		Example: exampleGRPC,
		Path:    true,
		Check: func(p *config.Provider) error {
			_, err := healthOf(p)
			return err
		},
		Hints: provider.Hints{
			provider.NotFound: "the server has no such service: correct what follows the port in base_url, then: providerctl reload",
		},
	},
	title: "a gRPC server",
	peculiar: func(p *config.Provider) (asker, error) {
		service, err := healthOf(p)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, r *run) finding { return askHealth(ctx, r, service) }, nil
	},
}

// healthOf is the service to ask for; "" means the server as a whole.
func healthOf(p *config.Provider) (string, error) {
	u, err := url.Parse(p.BaseURL)
	if err != nil {
		return "", &config.SettingError{Setting: "base_url", Problem: "it cannot be read", Fix: `base_url = "` + exampleGRPC + `"`}
	}
	service := strings.TrimPrefix(u.Path, "/")
	if strings.Contains(service, "/") || !provider.IsPlain(service) {
		return "", &config.SettingError{Setting: "base_url", Problem: "only the name of a service may follow the port", Fix: `base_url = "` + exampleGRPC + `/my.package.Service"`}
	}
	return service, nil
}

func askHealth(ctx context.Context, r *run, service string) finding {
	asked := "the health of " + cmp.Or(service, "the server")
	began := r.p.now()
	call, err := callHealth(ctx, r, service)
	r.latency = r.p.now().Sub(began)
	if err != nil {
		found := r.unconnected(err)
		r.checked(began, asked, "", cmp.Or(found.detail, err.Error()))
		return found
	}
	r.answered = call.said
	if call.said {
		r.checked(began, asked, call.answer(), "")
	} else {
		r.checked(began, asked, "", call.message)
	}
	return r.unlessCut(call.finding(r, service))
}

// unconnected decides what it means that there is no HTTP/2 connection. A TLS server
// without HTTP/2 may say so in the handshake.
func (r *run) unconnected(err error) finding {
	var shake *transport.HandshakeError
	if errors.As(err, &shake) && transport.IsAlert(err) && strings.Contains(err.Error(), "no application protocol") {
		return finding{saw: provider.WrongService, detail: "it speaks TLS, but not HTTP/2, which gRPC needs"}
	}
	return r.failure(err)
}

// statuses maps the codes that a server sends to reasons (codes.Code, and
// doc/statuscodes.md of grpc/grpc). All others are server errors.
var statuses = map[codes.Code]provider.Reason{
	codes.Unauthenticated:   provider.Unauthorized,
	codes.PermissionDenied:  provider.Forbidden,
	codes.ResourceExhausted: provider.RateLimited,
	codes.DeadlineExceeded:  provider.Hung,
	codes.InvalidArgument:   provider.BadResponse,
	codes.OutOfRange:        provider.BadResponse,
	codes.AlreadyExists:     provider.BadResponse,
}

// finding is what the call amounts to.
func (c *healthCall) finding(r *run, service string) finding {
	switch {
	case c.ended != nil:
		return r.failure(c.ended)
	case !c.said:
		return c.unsaid(r)
	case c.isUnreadable():
		return finding{saw: provider.BadResponse, detail: "the answer is broken: " + c.message}
	case c.code == codes.OK:
		return serving(c.status, service)
	case c.code == codes.Unimplemented:
		return finding{saw: provider.OK, detail: "answers, but has no health service"}
	case c.code == codes.NotFound:
		return unknownService(service)
	}
	return finding{saw: cmp.Or(statuses[c.code], provider.ServerError), detail: c.answer()}
}

// serving reads the answer. Only Watch should send SERVICE_UNKNOWN, but some servers send
// it for Check too.
func serving(status health.HealthCheckResponse_ServingStatus, service string) finding {
	switch status {
	case health.HealthCheckResponse_SERVING:
		return finding{saw: provider.OK}
	case health.HealthCheckResponse_SERVICE_UNKNOWN:
		return unknownService(service)
	case health.HealthCheckResponse_NOT_SERVING, health.HealthCheckResponse_UNKNOWN:
		return finding{saw: provider.ServerError, detail: status.String()}
	}
	return finding{saw: provider.BadResponse, detail: fmt.Sprintf("unknown health status %d", status)}
}

func unknownService(service string) finding {
	if service == "" {
		return finding{saw: provider.NotFound, detail: "the server does not report its own health: add a service's name after the port"}
	}
	return finding{saw: provider.NotFound, detail: "the server does not know the service " + service}
}

// unsaid decides what it means that the server sent no gRPC status. Its first bytes say
// more than the library's errors, which have no types.
func (c *healthCall) unsaid(r *run) finding {
	heard := r.p.clean.trim(c.heard) // its end may be half a secret
	switch {
	case c.code == codes.DeadlineExceeded: // the server knows the deadline, and may end the call first
		return r.silence()
	case c.alert != nil:
		return r.tlsFinding(c.alert)
	case transport.IsTLS(heard):
		return r.wantsTLS()
	case heard == "":
		return r.closed(heard)
	case strings.HasPrefix(heard, "HTTP/"):
		return finding{saw: provider.WrongService, detail: "it speaks HTTP/1, but not HTTP/2, which gRPC needs"}
	case !isHTTP2(heard):
		return finding{saw: provider.WrongService, detail: fmt.Sprintf("it does not speak gRPC; it sent %q", r.p.clean.line(heard, maxDetail))}
	case strings.HasPrefix(c.message, "unexpected HTTP status code"):
		return finding{saw: webStatus(c.code), detail: "an HTTP/2 server answers, not gRPC: " + c.message}
	case c.code == codes.Unavailable:
		return finding{saw: provider.ConnectionReset, detail: "the connection was closed before an answer"}
	}
	return finding{saw: provider.BadResponse, detail: "the answer is broken: " + c.message}
}

// webStatus is what a gateway in front of a gRPC server means, after the library turned its
// HTTP status into a code (doc/http-grpc-status-mapping.md of grpc/grpc).
func webStatus(code codes.Code) provider.Reason {
	switch code {
	case codes.Unauthenticated: // 401
		return provider.Unauthorized
	case codes.PermissionDenied: // 403
		return provider.Forbidden
	case codes.Unavailable: // 429, 502, 503, 504
		return provider.ServerError
	}
	return provider.WrongService
}

// isHTTP2 recognises an HTTP/2 server by its first frame, which must hold its settings (RFC
// 9113, section 3.4).
func isHTTP2(heard string) bool {
	return len(heard) >= 9 && heard[3] == 4 && heard[5:9] == "\x00\x00\x00\x00"
}
