package probe

import (
	"strconv"
	"strings"

	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/store/provider"
)

// newer is the finding for a server that speaks only HTTP/2: we use HTTP/1.1, as most
// clients of model servers do.
func newer() finding {
	return finding{saw: provider.WrongService, detail: "it speaks only HTTP/2, as gRPC servers do; providerd uses HTTP/1.1"}
}

// heardNewer reports whether a server answered in HTTP/2 to a request in HTTP/1.1.
func (r *run) heardNewer(heard string) bool {
	switch r.p.base.Scheme {
	case "http", "https", "unix":
		return transport.IsHTTP2(heard)
	}
	return false
}

// malformedLine is the part of an answer that net/http quotes in its error. With TLS we see
// nothing else of it.
func malformedLine(err string) string {
	_, rest, _ := strings.Cut(err, "malformed HTTP response ")
	quoted, err2 := strconv.QuotedPrefix(rest)
	line, err3 := strconv.Unquote(quoted)
	if err2 != nil || err3 != nil {
		return ""
	}
	return line
}

// isNewer finds out whether a server hung up or refused because it speaks only HTTP/2.
func (r *run) isNewer() bool {
	if r.p.base.Scheme == "http" && r.p.provider.Type == provider.Local && r.p.proxy == nil {
		return r.isMute()
	}
	return r.p.base.Scheme == "https" && r.p.proxy == nil && r.trace.At() >= transport.Handshaking &&
		r.p.dialer.OffersHTTP2Alone(r.trace.Context())
}

// isMute finds out the same for a server without TLS that has hung up twice and never
// answered. It may be broken instead, so it is asked once.
func (r *run) isMute() bool {
	p := r.p
	switch {
	case p.older:
		return false
	case !p.hungUp:
		r.hungUp = true
		return false
	}
	p.older = !p.dialer.SpeaksHTTP2Alone(r.trace.Context())
	return !p.older
}
