package probe

import (
	"github.com/providerd/providerd/store/provider"
)

// closed decides what it means that a new connection ended before an answer. Some TLS
// servers close it without a word if they get plain HTTP.
func (r *run) closed(heard string) finding {
	made, _ := r.trace.Connections()
	base := r.p.base.Scheme
	plain := base == "http" && r.p.provider.Type == provider.Local || base == "grpc"
	if plain && r.p.proxy == nil && made > 0 && heard == "" && r.p.dialer.SpeaksTLS(r.trace.Context()) {
		return r.wantsTLS()
	}
	if heard == "" && r.isNewer() {
		return newer()
	}
	return r.askedInVain(r.closedUnheard(heard))
}

func (r *run) wantsTLS() finding {
	_, secure := r.schemes()
	return finding{
		saw:    provider.TLSFailure,
		detail: "the server speaks TLS: base_url should begin with " + secure,
		hint:   r.p.moveTo(r.p.spokenAs(secure)),
	}
}

// schemes are what base_url should begin with, without TLS and with it; empty if the kind
// has no such scheme.
func (r *run) schemes() (plain, secure string) {
	switch r.p.base.Scheme {
	case "grpc", "grpcs":
		return "grpc://", "grpcs://"
	case "tls":
		return "", "tls://"
	}
	return "http://", "https://"
}
