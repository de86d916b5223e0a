package probe

import (
	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/store/provider"
)

// newer is what it means that a server speaks HTTP/2 and nothing older: it is asked in
// HTTP/1.1, as most clients of model servers do.
func newer() finding {
	return finding{saw: provider.WrongService, detail: "it speaks HTTP/2 only, as gRPC does; providerd asks in HTTP/1.1"}
}

// heardNewer reports whether what a server said tells that, where it was asked in
// HTTP/1.1 at all.
func (r *run) heardNewer(heard string) bool {
	switch r.p.base.Scheme {
	case "http", "https", "unix":
		return transport.IsHTTP2(heard)
	}
	return false
}

// isNewer finds out whether a TLS server that hung up, or refused, does that because it
// speaks HTTP/2 only.
func (r *run) isNewer() bool {
	return r.p.base.Scheme == "https" && r.p.proxy == nil && r.trace.At() >= transport.Handshaking &&
		r.p.dialer.OffersHTTP2Alone(r.trace.Context())
}
