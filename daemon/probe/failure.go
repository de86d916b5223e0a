package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// failure says what it means that a request got no answer that could be read.
func (r *run) failure(err error) finding {
	if r.caller.Err() != nil {
		return r.unlessCut(finding{})
	}
	if !isTimeout(err) {
		r.p.confirmed = false // something else may come back
	}
	found := r.layer(err)
	if r.p.proxy != nil {
		return r.throughProxy(err, found)
	}
	return found
}

// unlessCut is found, or nothing when the caller's end may have made it so.
func (r *run) unlessCut(found finding) finding {
	if r.caller.Err() != nil {
		return finding{detail: "cut short: " + context.Cause(r.caller).Error()}
	}
	return found
}

// layer finds the layer that failed, from the bottom up.
func (r *run) layer(err error) finding {
	var (
		resolve *resolveError
		dial    *dialError
		shake   *handshakeError
	)
	switch {
	case errors.Is(err, errPanic) || isAny(err, errnoExhausted):
		return finding{saw: provider.ProbeFailed, detail: err.Error()}
	case errors.As(err, &resolve):
		return resolve.finding()
	case errors.As(err, &dial):
		return dial.finding()
	case errors.As(err, &shake) && !isTimeout(err) && !isClosed(err):
		return r.tlsFinding(shake.err)
	case isTimeout(err):
		return r.silence()
	}
	return r.garbled(err)
}

// silence says what the deadline passed over.
func (r *run) silence() finding {
	timeout := r.p.provider.Timeout
	switch r.trace.at() {
	case resolving:
		return finding{saw: provider.DNSFailure, hostFault: true,
			detail: fmt.Sprintf("the resolver did not answer within %s", timeout)}
	case connecting:
		return finding{saw: provider.ConnectTimeout, detail: fmt.Sprintf("no connection within %s", timeout)}
	case shaking:
		found := finding{saw: provider.Hung, detail: fmt.Sprintf("connected, and no TLS handshake within %s, or it does not speak TLS", timeout)}
		if plain, _ := r.schemes(); plain != "" {
			found.detail += ": try " + plain
		}
		return found
	}
	if r.inBody {
		return finding{saw: provider.Hung, detail: fmt.Sprintf("the answer began, and did not end within %s", timeout)}
	}
	return finding{saw: provider.Hung, detail: fmt.Sprintf("connected, and no answer within %s", timeout)}
}

// garbled reads what net/http could not. The first bytes tell more than its
// errors, most of which have no types.
func (r *run) garbled(err error) finding {
	heard := ""
	if _, c := r.trace.connections(); c != nil {
		heard = r.p.clean.trim(c.heard()) // its end may be half a secret
	}
	text := err.Error()
	switch {
	case isTLS(heard) || strings.Contains(text, `malformed HTTP response "\x15\x03`):
		return r.wantsTLS()
	case isAlert(err):
		return r.tlsFinding(err)
	case heard != "" && !strings.HasPrefix(heard, "HTTP/"[:min(len(heard), 5)]):
		return finding{saw: provider.WrongService, detail: fmt.Sprintf("it does not speak HTTP; it sent %q", r.p.clean.line(heard, maxDetail))}
	case errors.Is(err, errHeaderSize) || strings.Contains(text, "server response headers exceeded"):
		return finding{saw: provider.BadResponse, detail: fmt.Sprintf("headers larger than %d KiB", maxHeader>>10)}
	case isClosed(err) || strings.Contains(text, "server closed idle connection"):
		return r.closed(heard)
	}
	return finding{saw: provider.BadResponse, detail: "the answer is broken: " + text}
}

// throughProxy names the proxy. That it fails says nothing about the provider.
func (r *run) throughProxy(err error, found finding) finding {
	found.detail = fmt.Sprintf("through the proxy %s: %s", r.p.proxy.Host, found.detail)
	var refused *proxyError
	phase := r.trace.at()
	if errors.As(err, &refused) || phase == connecting || phase == connected && !r.trace.isTunnelled() && r.p.base.Scheme == "https" {
		if found.saw != provider.DNSFailure && found.saw != provider.ProbeFailed {
			found.saw = provider.NetworkUnreachable
		}
		if refused != nil {
			found.detail = refused.Error()
		}
	}
	return found
}

// A proxyError is a proxy's refusal to connect.
type proxyError struct{ host, status string }

func (e *proxyError) Error() string { return fmt.Sprintf("the proxy %s answered %s", e.host, e.status) }

// A resolveError is a name without an address.
type resolveError struct {
	host string
	err  error
}

func (e *resolveError) Error() string { return fmt.Sprintf("resolve %s: %v", e.host, e.err) }
func (e *resolveError) Unwrap() error { return e.err }

func (e *resolveError) finding() finding {
	var dns *net.DNSError
	if errors.As(e.err, &dns) && dns.IsNotFound {
		return finding{saw: provider.DNSFailure, detail: "no such host: " + e.host}
	}
	text := e.err.Error()
	if isTimeout(e.err) {
		text = "the resolver did not answer"
	}
	return finding{saw: provider.DNSFailure, hostFault: true, detail: fmt.Sprintf("look up %s: %s", e.host, text)}
}

// A dialError is that no address accepted a connection: one error for each.
type dialError struct{ errs []error }

func (e *dialError) Error() string   { return errors.Join(e.errs...).Error() }
func (e *dialError) Unwrap() []error { return e.errs }

// finding goes by the address whose failure tells most: a refusal proves that
// the host is there and the server is not.
func (e *dialError) finding() finding {
	for _, rule := range [...]struct {
		saw   provider.Reason
		holds func(error) bool
	}{
		{provider.ConnectionRefused, func(err error) bool { return isAny(err, errnoRefused) }},
		{provider.WrongService, func(err error) bool { return isAny(err, errnoMistyped) }},
		{provider.ConnectionReset, func(err error) bool { return isAny(err, errnoReset) }},
		{provider.ConnectTimeout, isTimeout},
		{provider.Forbidden, isSocketDenied},
		{provider.NetworkUnreachable, func(err error) bool { return isAny(err, errnoUnreachable) || isAny(err, errnoDenied) }},
	} {
		if i := slices.IndexFunc(e.errs, rule.holds); i >= 0 {
			return finding{
				saw:       rule.saw,
				detail:    dialText(e.errs[i]),
				hostFault: rule.saw == provider.NetworkUnreachable,
			}
		}
	}
	return finding{saw: provider.ProbeFailed, detail: e.Error()}
}

// dialText says what was dialled and what the system said.
func dialText(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Addr == nil {
		return err.Error()
	}
	return op.Addr.String() + ": " + systemText(err)
}

// systemText says what the system said of a dial, without the address and the
// name of the system call.
func systemText(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Addr == nil {
		return err.Error()
	}
	if isTimeout(err) {
		return "no connection in time"
	}
	var call *os.SyscallError
	if errors.As(op.Err, &call) {
		return call.Err.Error()
	}
	return op.Err.Error()
}

// tlsFinding explains a handshake that the peer did not let succeed.
func (r *run) tlsFinding(err error) finding {
	var record tls.RecordHeaderError
	detail := strings.TrimPrefix(err.Error(), "tls: ")
	if errors.As(err, &record) {
		plain, _ := r.schemes()
		detail = "the server does not speak TLS"
		switch {
		case string(record.RecordHeader[:]) == "HTTP/" && plain == "http://":
			detail = "the server speaks plain HTTP: base_url should begin with http://"
		case string(record.RecordHeader[:]) == "HTTP/":
			detail = "the server speaks plain HTTP"
		}
	}
	if isAlert(err) && strings.Contains(detail, "certificate") {
		detail += ": the server wants a client certificate"
	}
	return finding{saw: provider.TLSFailure, detail: detail}
}

// isAlert reports whether the peer ended TLS and said why. TLS 1.3 does so after
// the handshake when a client certificate is missing. crypto/tls has no type for
// it, other than the name of the operation.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		isAny(err, errnoTimeout) || errors.As(err, &timeout) && timeout.Timeout()
}

func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		isAny(err, errnoReset)
}

// isSocketDenied: the file of a Unix socket may be closed to us; for an address
// the same errors come from a local firewall.
func isSocketDenied(err error) bool {
	var op *net.OpError
	return isAny(err, errnoDenied) && errors.As(err, &op) && op.Net == "unix"
}

func isAny(err error, targets []error) bool {
	return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
}
