package probe

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// untrusted explains a certificate that could not be verified.
func (s *failedShake) untrusted(e *tls.CertificateVerificationError) explanation {
	var (
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		unknown x509.UnknownAuthorityError
		broken  x509.SystemRootsError
	)
	chain := e.UnverifiedCertificates
	if len(chain) == 0 {
		return explanation{detail: e.Error()}
	}
	if who := placeholders[chain[0].Subject.CommonName]; who != "" {
		return explanation{fmt.Sprintf("%s has no certificate for %s and sent its default one", who, s.host),
			"check the certificate: give " + who + " one for this host, or correct the host in {endpoint}"}
	}
	switch {
	case errors.As(e.Err, &host):
		return s.wrongName(chain[0])
	case errors.As(e.Err, &invalid) && invalid.Reason == x509.Expired:
		return s.outOfDate(invalid.Cert, chain[0])
	case errors.As(e.Err, &unknown):
		return s.unknownAuthority(pathOf(chain), e.Err.Error())
	case errors.As(e.Err, &broken):
		return explanation{"the certificate is signed by an unknown authority: this machine's authorities cannot be read: " + broken.Err.Error(), s.rootsHint()}
	}
	return explanation{detail: "the certificate is not accepted: " + strings.TrimPrefix(e.Err.Error(), "x509: ")}
}

// placeholders are the certificates that proxies send for a host without one of its own
// (traefik/traefik pkg/tls/generate/generate.go, kubernetes/ingress-nginx
// internal/net/ssl/ssl.go).
var placeholders = map[string]string{
	"TRAEFIK DEFAULT CERT":                           "Traefik",
	"Kubernetes Ingress Controller Fake Certificate": "the ingress controller",
}

// wrongName explains a certificate for other hosts.
func (s *failedShake) wrongName(leaf *x509.Certificate) explanation {
	names := leaf.DNSNames
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	const shown = 3
	detail := "the certificate is for "
	switch n := len(names); {
	case n == 0:
		detail += "no host name (its subject, " + nameOf(leaf.Subject) + ", does not count)"
	case n > shown:
		detail += fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), n-shown)
	default:
		detail += strings.Join(names, ", ")
	}
	if isAddress(s.host) && len(leaf.IPAddresses) == 0 {
		detail += ", and doesn't contain any IP SANs"
	}
	return explanation{detail + ": not " + s.host, "check the certificate and the host in {endpoint}: base_url must have a name that is in the certificate; see: providerctl diagnose {id}"}
}

const clockHint = "check the certificate and this machine's clock; see: providerctl diagnose {id}"

// outOfDate explains a certificate, the leaf or one that signed it, that is not valid now.
func (s *failedShake) outOfDate(c, leaf *x509.Certificate) explanation {
	whose := "the certificate"
	if !c.Equal(leaf) {
		whose += " of its issuer " + nameOf(c.Subject)
	}
	if s.now.Before(c.NotBefore) {
		return explanation{fmt.Sprintf("%s is not yet valid: it begins on %s, and this machine's clock says %s", whose, date(c.NotBefore), date(s.now)), clockHint}
	}
	x := explanation{
		fmt.Sprintf("%s has expired: it ended on %s, %s", whose, date(c.NotAfter), daysAgo(s.now.Sub(c.NotAfter))),
		"check the certificate at {endpoint}: renew it and reload the server; see: providerctl diagnose {id}",
	}
	if s.vendors { // vendors hardly ever let a certificate expire
		x.detail += fmt.Sprintf("; this machine's clock says %s", date(s.now))
		x.hint = clockHint
	}
	return x
}

func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func daysAgo(d time.Duration) string {
	switch days := int(d / (24 * time.Hour)); days {
	case 0:
		return "less than a day ago"
	case 1:
		return "1 day ago"
	default:
		return fmt.Sprintf("%d days ago", days)
	}
}

// pathOf is the leaf and, of the certificates that the server sent, the chain that signed
// it.
func pathOf(sent []*x509.Certificate) []*x509.Certificate {
	path := sent[:1:1]
	for range sent {
		top := path[len(path)-1]
		next := top
		for _, c := range sent[1:] {
			if !c.Equal(top) && bytes.Equal(c.RawSubject, top.RawIssuer) && top.CheckSignatureFrom(c) == nil {
				next = c
				break
			}
		}
		if next == top {
			break
		}
		path = append(path, next)
	}
	return path
}

// unknownAuthority explains what is missing between a server's certificate and a trusted
// authority; text may say why one with the right name does not match.
func (s *failedShake) unknownAuthority(path []*x509.Certificate, text string) explanation {
	for _, c := range path[1:] {
		if s.now.After(c.NotAfter) {
			return s.outOfDate(c, path[0])
		}
	}
	top := path[len(path)-1]
	issuer := nameOf(top.Issuer)
	signs := selfSigned(top)
	x := explanation{"the certificate is signed by an unknown authority, " + issuer, s.trustHint("its authority's certificate")}
	switch {
	case !s.caFile && !s.hasRoots():
		return explanation{x.detail + ": this machine has no certificate authorities" + emptyFile(), s.rootsHint()}
	case len(path) == 1 && signs:
		x = explanation{"the certificate of " + issuer + " is self-signed (unknown authority)", s.trustHint("it")}
	case len(path) == 1 && len(top.IssuingCertificateURL) > 0 && !s.vendors:
		x = explanation{x.detail + ": the server seems to leave out that authority's certificate",
			"check the certificate: make the server send its whole chain (fullchain.pem, not cert.pem), or name its authority's certificate as ca_file of {id}"}
	}
	if _, why, ok := strings.Cut(text, "(possibly because of "); ok {
		x.detail += "; " + strings.TrimSuffix(why, ")")
	}
	return x
}

func selfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// trustHint says how to trust a certificate, which what names.
func (s *failedShake) trustHint(what string) string {
	switch {
	case s.caFile:
		return "check the certificate; if it is right, add " + what + " to ca_file, which replaces this machine's authorities"
	case s.system == "windows" || s.system == "darwin":
		return "check the certificate; if it is right, name " + what + " as ca_file of {id}, then: providerctl reload; or add it to this machine's authorities and restart providerd"
	case s.vendors:
		return "check the certificate: if a proxy here inspects TLS, name its authority's certificate as ca_file of {id}, or use update-ca-certificates or SSL_CERT_FILE, then restart providerd"
	}
	return "check the certificate; if it is right, name " + what + " as ca_file of {id}, then: providerctl reload; or use update-ca-certificates or SSL_CERT_FILE, then restart providerd"
}

// rootsHint says how to get any authorities.
func (s *failedShake) rootsHint() string {
	return "install ca-certificates (in a container, copy /etc/ssl/certs/ca-certificates.crt) or set SSL_CERT_FILE, then restart providerd; or name a file as ca_file of {id}"
}

// emptyFile names the variable that may be the cause.
func emptyFile() string {
	if name := cmp.Or(os.Getenv("SSL_CERT_FILE"), os.Getenv("SSL_CERT_DIR")); name != "" {
		return ", and none is in " + name
	}
	return ""
}

// nameOf is the name of a certificate's holder, for people.
func nameOf(n pkix.Name) string {
	organisation := strings.Join(n.Organization, ", ")
	switch {
	case n.CommonName == "":
		return cmp.Or(organisation, n.String(), "without a name")
	case organisation == "" || strings.Contains(n.CommonName, organisation):
		return n.CommonName
	}
	return n.CommonName + " (" + organisation + ")"
}
