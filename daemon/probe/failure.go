package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/daemon/scarce"
	"github.com/providerd/providerd/store/provider"
)

// failure decides what it means that a request got no readable answer.
func (r *run) failure(err error) finding {
	if r.caller.Err() != nil {
		return r.unlessCut(finding{})
	}
	if !transport.IsTimeout(err) {
		r.p.confirmed = false // something else might come back
	}
	found := r.layer(err)
	if r.p.proxy != nil {
		return r.throughProxy(err, found)
	}
	return found
}

// unlessCut is found, or nothing if the end of the caller's context may have caused it.
func (r *run) unlessCut(found finding) finding {
	if r.caller.Err() != nil {
		return finding{detail: "aborted: " + context.Cause(r.caller).Error()}
	}
	return found
}

// layer finds the layer that failed, from the bottom up.
func (r *run) layer(err error) finding {
	var (
		resolve *transport.ResolveError
		dial    *transport.DialError
		shake   *transport.HandshakeError
		file    *transport.FileError
	)
	switch {
	case errors.Is(err, transport.ErrPanic):
		return finding{saw: provider.ProbeFailed, detail: err.Error()}
	case scarce.Is(err):
		return r.ranOut(err, err.Error())
	case errors.As(err, &resolve):
		return r.resolveFinding(resolve)
	case errors.As(err, &dial):
		return dialFinding(dial, r.p.proxy == nil && r.p.provider.OnThisMachine())
	case errors.As(err, &file):
		return fileFinding(file)
	case errors.As(err, &shake) && !transport.IsTimeout(err) && !transport.IsClosed(err):
		return r.tlsFinding(shake.Err)
	case transport.IsTimeout(err):
		return r.silence()
	}
	return r.garbled(err)
}

// silence is the finding if the deadline passed: it says what we were waiting for.
func (r *run) silence() finding {
	timeout := r.p.provider.Timeout
	switch r.trace.At() {
	case transport.Resolving:
		return finding{saw: provider.DNSFailure, hostFault: true,
			detail: fmt.Sprintf("the resolver did not answer within %s", timeout)}
	case transport.Connecting:
		if r.p.proxy == nil && r.p.provider.OnThisMachine() {
			return finding{saw: provider.Hung, detail: fmt.Sprintf("no connection within %s: %s", timeout, nobodyAccepts)}
		}
		return finding{saw: provider.ConnectTimeout, detail: fmt.Sprintf("no connection within %s", timeout)}
	case transport.Handshaking:
		found := finding{saw: provider.Hung, detail: fmt.Sprintf("connected, but no TLS handshake within %s; perhaps it does not speak TLS", timeout)}
		if plain, _ := r.schemes(); plain != "" {
			found.detail += ": try " + plain
		}
		return found
	}
	if _, c := r.trace.Connections(); c != nil && r.heardNewer(c.Heard()) {
		return newer()
	}
	if r.inBody {
		return finding{saw: provider.Hung, detail: fmt.Sprintf("the answer began, but did not end within %s", timeout)}
	}
	return finding{saw: provider.Hung, detail: fmt.Sprintf("connected, but no answer within %s", timeout)}
}

// garbled interprets an answer that net/http could not read. The first bytes say more than
// its errors, most of which have no types.
func (r *run) garbled(err error) finding {
	heard := ""
	if _, c := r.trace.Connections(); c != nil {
		heard = r.p.clean.trim(c.Heard()) // it may end with half a secret
	}
	text := err.Error()
	switch {
	case transport.IsTLS(heard) || strings.Contains(text, `malformed HTTP response "\x15\x03`):
		return r.wantsTLS()
	case transport.IsAlert(err):
		return r.tlsFinding(err)
	case r.heardNewer(heard), r.heardNewer(malformedLine(text)), strings.Contains(text, `malformed HTTP response "\x00\x00`) && r.isNewer():
		return newer()
	case heard != "" && !strings.HasPrefix(heard, "HTTP/"[:min(len(heard), 5)]):
		return finding{saw: provider.WrongService, detail: fmt.Sprintf("it does not speak HTTP; it sent %q", r.p.clean.line(heard, maxDetail))}
	case errors.Is(err, transport.ErrHeaderSize) || strings.Contains(text, "server response headers exceeded"):
		return finding{saw: provider.BadResponse, detail: fmt.Sprintf("headers larger than %d KiB", transport.MaxHeader>>10)}
	case transport.IsClosed(err) || strings.Contains(text, "server closed idle connection"):
		return r.closed(heard)
	}
	return finding{saw: provider.BadResponse, detail: "the answer is broken: " + text}
}

// throughProxy names the proxy. Its failure says nothing about the provider.
func (r *run) throughProxy(err error, found finding) finding {
	found.detail = fmt.Sprintf("through the proxy %s: %s", r.p.proxy.Host, found.detail)
	var refused *transport.ProxyError
	phase := r.trace.At()
	if errors.As(err, &refused) {
		return r.proxySays(statusOf(refused.Status), refused.Status)
	}
	if phase == transport.Connecting || phase == transport.Connected && !r.trace.IsTunnelled() && r.p.base.Scheme == "https" {
		if found.saw != provider.DNSFailure && found.saw != provider.ProbeFailed {
			found.saw = provider.NetworkUnreachable
		}
		if found.saw != provider.ProbeFailed {
			found.hint = r.proxyUnreached(found.saw)
		}
		return found
	}
	switch {
	case found.saw == provider.DNSFailure:
		found.hint = r.proxyUnreached(found.saw)
	case r.p.base.Scheme == "http" && !r.trace.IsTunnelled() && (found.saw == provider.WrongService || strings.Contains(err.Error(), "malformed HTTP response")):
		found.saw, found.hint = provider.NetworkUnreachable, r.proxyIsNone()
	case found.saw == provider.Hung, found.saw == provider.ConnectionReset:
		found.hint = r.proxyOrBehind()
	}
	return found
}

// ranOut is the finding if this machine ran out of files, memory or processes. It says
// nothing about the provider.
func (r *run) ranOut(err error, detail string) finding {
	r.p.scarce(err)
	return finding{saw: provider.ProbeFailed, detail: detail}
}

// resolveFinding is the finding if a name has no address. If the resolver cannot open
// files, it finds neither its settings nor a server, and its error is only a text, or hides
// the cause.
func (r *run) resolveFinding(e *transport.ResolveError) finding {
	var dns *net.DNSError
	if err := scarce.Now(); err != nil || scarce.IsTold(e.Err.Error()) {
		return r.ranOut(cmp.Or(err, error(e)), fmt.Sprintf("look up %s: %v", e.Host, cmp.Or(err, e.Err)))
	}
	if errors.As(e.Err, &dns) && dns.IsNotFound {
		return finding{saw: provider.DNSFailure, detail: "no such host: " + e.Host}
	}
	text := e.Err.Error()
	if transport.IsTimeout(e.Err) {
		text = "the resolver did not answer"
	}
	return finding{saw: provider.DNSFailure, hostFault: true, detail: fmt.Sprintf("look up %s: %s", e.Host, text)}
}

// nobodyAccepts explains why a connect on this machine gets no answer: without a listener
// it would be refused.
const nobodyAccepts = "something listens there but accepts no connections"

// dialFinding goes by the address whose failure says most: a refusal proves that the host
// is up and the server is not. Silence on this machine proves that the server is there, and
// that its queue of connections is full.
func dialFinding(e *transport.DialError, onThisMachine bool) finding {
	for _, rule := range [...]struct {
		saw   provider.Reason
		holds func(error) bool
	}{
		{provider.Hung, func(err error) bool { return transport.IsFull(err) || onThisMachine && transport.IsTimeout(err) }},
		{provider.ConnectionRefused, func(err error) bool { return transport.IsAny(err, transport.Refused) }},
		{provider.WrongService, func(err error) bool { return transport.IsAny(err, transport.Mistyped) }},
		{provider.ConnectionReset, func(err error) bool { return transport.IsAny(err, transport.Reset) }},
		{provider.ConnectTimeout, transport.IsTimeout},
		{provider.Forbidden, transport.IsSocketDenied},
		{provider.NetworkUnreachable, func(err error) bool {
			return transport.IsAny(err, transport.Unreachable) || transport.IsAny(err, transport.Denied)
		}},
	} {
		if i := slices.IndexFunc(e.Errs, rule.holds); i >= 0 {
			found := finding{
				saw:       rule.saw,
				detail:    transport.DialText(e.Errs[i]),
				hostFault: rule.saw == provider.NetworkUnreachable,
			}
			if rule.saw == provider.Hung {
				found.detail += ": " + nobodyAccepts
			}
			return found
		}
	}
	return finding{saw: provider.ProbeFailed, detail: e.Error()}
}
