package probe

import (
	"cmp"

	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/store/provider"
)

// certificateWanted are the words of servers that finish the handshake, and then complain
// over HTTP that there is no client certificate: nginx
// (src/http/ngx_http_special_response.c, its 496), IIS (403.7 in
// learn.microsoft.com/troubleshoot/iis/http-status-code), Kong's mtls-auth (reported).
var certificateWanted = []string{
	"no required ssl certificate was sent", "no required tls certificate was sent", "client certificate required",
	"requires a client certificate", "client certificate is required",
}

// certificateRefused are the words of nginx (its 495) and Kong (reported) for a bad one.
var certificateRefused = []string{"the ssl certificate error", "tls certificate failed verification"}

const (
	statusBadCertificate = 495 // nginx's own, which it usually sends as 400
	statusNoCertificate  = 496
)

// certificateAsked recognises an answer about our client certificate, or about its absence.
// A page that does not say why counts if the server asked for a certificate and got none,
// as from APISIX (reported, apache/apisix#7214). For a 403 that is a guess.
func (r *run) certificateAsked(a *answer) (found finding, is bool) {
	if a.request.URL.Scheme != "https" {
		return finding{}, false
	}
	found = finding{saw: provider.TLSFailure, detail: a.statusLine()}
	switch a.status {
	default:
		return finding{}, false
	case 400, 401, 403, statusBadCertificate, statusNoCertificate:
	}
	switch asked := r.requested(); {
	case a.status == statusNoCertificate || containsAny(a.excerpt(), certificateWanted):
		return r.wantsOurs(found), true
	case a.status == statusBadCertificate || containsAny(a.excerpt(), certificateRefused):
		return r.rejectsOurs(found), true
	case asked == nil || asked.Shown != nil || len(a.body) > 0 && !a.isHTML():
	case a.status == 400:
		return r.wantsOurs(found), true
	case a.status == 403:
		found.saw = provider.Forbidden
		found.detail += ": the server asked for a client certificate and got none"
		found.hint = giveCertificate
		return found, true
	}
	return finding{}, false
}

// wantsOurs completes a finding about a missing client certificate.
func (r *run) wantsOurs(found finding) finding {
	x := (&failedShake{asked: r.requested()}).wanted(found.detail + ": the server wants a client certificate")
	found.detail, found.hint = x.detail, x.hint
	return found
}

// rejectsOurs completes a finding about a client certificate that the server does not
// accept. If a proxy did the handshake, we have only its word that there was one.
func (r *run) rejectsOurs(found finding) finding {
	s := failedShake{now: r.p.now(), asked: r.requested()}
	if s.asked == nil || s.asked.Shown == nil {
		found.detail += ": the server rejected the client certificate"
		found.hint = giveCertificate
		return found
	}
	x := s.rejected("")
	found.detail, found.hint = found.detail+": "+x.detail, x.hint
	return found
}

// requested is what the server said when it asked for a client certificate in the
// handshake of this connection; nil if it did not ask.
func (r *run) requested() *transport.CertificateRequest {
	return cmp.Or(r.trace.Requested(), r.p.dialer.Requested())
}
