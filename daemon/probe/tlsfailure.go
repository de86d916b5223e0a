package probe

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/underway"
)

// A failedShake is what is known about a failed handshake.
type failedShake struct {
	host     string // the host that was asked for; may be an address
	now      time.Time
	vendors  bool                          // it is a vendor's API, somewhere in the internet
	caFile   bool                          // it has authorities of its own configured
	hasRoots func() bool                   // there is any authority to trust
	asked    *transport.CertificateRequest // for our certificate; nil: the server did not ask
	system   string                        // a GOOS
	plainly  string                        // what to do if it speaks plain HTTP
}

// An explanation says what is wrong, and what to do. Without a hint, the reason's is used.
type explanation struct{ detail, hint string }

// tlsFinding explains a handshake that failed because of the peer or its certificate.
func (r *run) tlsFinding(err error) finding {
	if transport.IsNoProtocol(err) && r.isNewer() {
		return newer()
	}
	s := failedShake{
		host: r.p.base.Hostname(), now: r.p.now(), vendors: r.p.kind.Type == provider.Cloud,
		caFile:   r.p.provider.TLS != nil && r.p.provider.TLS.CAFile != "",
		hasRoots: r.p.dialer.HasRoots, asked: r.trace.Requested(), system: runtime.GOOS,
	}
	if plain := r.plainScheme(); plain != "" {
		s.plainly = r.p.moveTo(r.p.spokenAs(plain))
	}
	x := s.explain(err, r.plainScheme())
	if code, _ := transport.Alert(err); code == alertProtocolVersion && r.p.proxy == nil {
		if newest := r.p.dialer.NewestOldTLS(r.trace.Context()); newest != "" {
			x = tooOld(newest)
		}
	}
	if stale := r.trace.Outdated(); stale != nil {
		x.detail += "; still using the old files: " + stale.Error()
	}
	if r.p.proxy != nil && !r.trace.IsTunnelled() {
		x.hint = "" // it is about the proxy
	}
	return finding{saw: provider.TLSFailure, detail: x.detail, hint: x.hint}
}

func (r *run) plainScheme() string {
	plain, _ := r.schemes()
	return plain
}

// fileFinding explains a file of certificates that cannot be used.
func fileFinding(e *transport.FileError) finding {
	if hang := (*underway.HangError)(nil); errors.As(e, &hang) {
		return finding{saw: provider.ProbeFailed, detail: e.Error()} // the disk is ours
	}
	return finding{saw: provider.TLSFailure, detail: e.Error(),
		hint: "correct the file or the setting, then: providerctl reload; see: providerd config check"}
}

// spokenVersion is the version that a server chose, in an error of crypto/tls.
var spokenVersion = regexp.MustCompile(`unsupported protocol version ([0-9a-f]+)$`)

// explain explains the error of a handshake.
func (s *failedShake) explain(err error, plain string) explanation {
	var record tls.RecordHeaderError
	var unverified *tls.CertificateVerificationError
	text := strings.TrimPrefix(err.Error(), "tls: ")
	switch {
	case errors.As(err, &record):
		return s.noTLS(string(record.RecordHeader[:]), plain)
	case errors.As(err, &unverified):
		return s.untrusted(unverified)
	}
	if code, ok := transport.Alert(err); ok {
		return s.alerted(code, strings.TrimPrefix(text, "remote error: tls: "))
	}
	if m := spokenVersion.FindStringSubmatch(text); m != nil {
		if n, err := strconv.ParseUint(m[1], 16, 16); err == nil {
			return tooOld(tls.VersionName(uint16(n)))
		}
	}
	return explanation{detail: text}
}

// noTLS explains a server that spoke something else.
func (s *failedShake) noTLS(spoke, plain string) explanation {
	switch {
	case spoke == "HTTP/" && plain == "http://":
		return explanation{"the server speaks plain HTTP: base_url should begin with http://", s.plainly}
	case spoke == "HTTP/":
		return explanation{detail: "the server speaks plain HTTP"}
	}
	return explanation{detail: "the server does not speak TLS"}
}

func tooOld(newest string) explanation {
	return explanation{
		detail: fmt.Sprintf("the server's newest version is %s, but providerd needs TLS 1.2 or later", newest),
		hint:   "enable TLS 1.2 or 1.3 on the server at {endpoint}; see: providerctl diagnose {id}",
	}
}

// Alerts by their numbers (RFC 8446, section 6, and RFC 5246).
const (
	alertHandshakeFailure       = 40
	alertBadCertificate         = 42
	alertUnsupportedCertificate = 43
	alertCertificateRevoked     = 44
	alertCertificateExpired     = 45
	alertCertificateUnknown     = 46
	alertUnknownCA              = 48
	alertAccessDenied           = 49
	alertDecryptError           = 51
	alertProtocolVersion        = 70
	alertInsufficientSecurity   = 71
	alertInternalError          = 80
	alertUnrecognizedName       = 112
	alertCertificateRequired    = 116
)

// aboutOurs are the alerts with which servers reject a client certificate, or say that one
// is missing. Under TLS 1.2, OpenSSL (tls1_alert_code in ssl/t1_enc.c) and Go
// (processCertsFromClient in crypto/tls/handshake_server.go) send handshake_failure if
// there is none.
var aboutOurs = []uint8{
	alertHandshakeFailure, alertBadCertificate, alertUnsupportedCertificate, alertCertificateRevoked,
	alertCertificateExpired, alertCertificateUnknown, alertUnknownCA, alertAccessDenied, alertDecryptError,
	alertInternalError, alertCertificateRequired,
}

// alerted explains an alert of the server; text is its name.
func (s *failedShake) alerted(code uint8, text string) explanation {
	switch {
	case code == alertCertificateRequired && s.asked == nil,
		s.asked != nil && s.asked.Shown == nil && slices.Contains(aboutOurs, code):
		return s.wanted("the server wants a client certificate")
	case s.asked != nil && slices.Contains(aboutOurs, code):
		return s.rejected(text)
	case code == alertProtocolVersion:
		return explanation{
			detail: "the server speaks neither TLS 1.2 nor TLS 1.3",
			hint:   "enable TLS 1.2 or 1.3 on the server at {endpoint}; see: providerctl diagnose {id}",
		}
	case code == alertUnrecognizedName:
		return explanation{"the server does not know the host " + s.host + ": " + text, otherHost}
	case code == alertHandshakeFailure || code == alertInsufficientSecurity || code == alertInternalError || code == alertAccessDenied:
		return s.refused(text)
	}
	return explanation{detail: "the server ended the handshake: " + text}
}

const otherHost = "write a host name of the server's certificate into base_url, or give the server a certificate for this host; see: providerctl diagnose {id}"

// refused explains an alert that says little. If there is no certificate for the name,
// Caddy is reported to send internal_error, and Cloudflare handshake_failure.
func (s *failedShake) refused(text string) explanation {
	if isAddress(s.host) {
		return explanation{"the server refused the handshake: " + text + "; base_url has an IP address, so no host name was sent", otherHost}
	}
	return explanation{
		"the server refused the handshake: " + text,
		"look at the server's log: it may have no certificate for the host in {endpoint}, or no cipher in common with providerd; see: providerctl diagnose {id}",
	}
}

const giveCertificate = "set client_cert_file and client_key_file of {id} to a certificate that the server accepts, then: providerctl reload"

// wanted explains that the server asks for a client certificate and there is none.
func (s *failedShake) wanted(detail string) explanation {
	if s.asked != nil && len(s.asked.Takes) > 0 {
		detail += ", signed by " + strings.Join(s.asked.Takes, " or ")
	}
	return explanation{detail, giveCertificate}
}

// rejected explains that the server did not accept our client certificate; text is what the
// server says about it, if anything.
func (s *failedShake) rejected(text string) explanation {
	own := s.asked.Shown
	x := explanation{
		strings.TrimSuffix(fmt.Sprintf("the server rejected the client certificate %s: %s", nameOf(own.Subject), text), ": "),
		"look at the server's log; client_cert_file needs a client certificate with its whole chain, from an authority that the server trusts",
	}
	switch {
	case s.now.After(own.NotAfter):
		x.detail += fmt.Sprintf("; it expired on %s", date(own.NotAfter))
		x.hint = "renew the certificate in client_cert_file, then: providerctl refresh {id}"
	case s.now.Before(own.NotBefore):
		x.detail += fmt.Sprintf("; it is not valid before %s", date(own.NotBefore))
		x.hint = clockHint
	case !s.asked.Fits && len(s.asked.Takes) > 0:
		x.detail += "; the server accepts those signed by " + strings.Join(s.asked.Takes, " or ")
	case !forClients(own):
		x.detail += "; it is not a client certificate (extended key usage)"
	}
	return x
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func forClients(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// askedInVain is for a connection that ended without a word: it adds that the server had
// asked for a client certificate. Not all servers send an alert.
func (r *run) askedInVain(found finding) finding {
	asked := r.trace.Requested()
	switch {
	case asked == nil:
	case asked.Shown == nil:
		found.detail += ": the server asked for a client certificate and got none"
		found.hint = giveCertificate
	default:
		found.detail += ": the server asked for a client certificate and got that of " + nameOf(asked.Shown.Subject)
	}
	return found
}
