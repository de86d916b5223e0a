package etcd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"path"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A Problem is what is wrong with etcd, or with our access to it.
type Problem string

// Problems.
const (
	Unreachable    Problem = "not reachable"
	NotEtcd        Problem = "does not speak etcd's protocol"
	OurFiles       Problem = "our certificate files cannot be read"
	OurCertExpired Problem = "our certificate has expired"
	OurCertNotNow  Problem = "our certificate is not valid yet, or a clock is wrong"
	OurCertRefused Problem = "our certificate is refused"
	TheirCert      Problem = "the certificate of etcd is not trusted"
	TheirExpired   Problem = "the certificate of etcd has expired"
	NoPermission   Problem = "no permission for the fleet's keys"
	NoUser         Problem = "no user of etcd's for our certificate"
	NoLeader       Problem = "etcd has no leader"
	Silent         Problem = "no answer in time"
	LeaseGone      Problem = "our lease is gone"
	KeyGone        Problem = "our own key is gone"
	OtherCluster   Problem = "the endpoints are of different clusters"
	WentBack       Problem = "etcd lost changes, its revision went back"
	Full           Problem = "etcd's database is full"
	TooMuch        Problem = "more data than a fleet has"
	Failed         Problem = "etcd reports an error"
)

// An Error is a failure to talk to etcd.
type Error struct {
	Problem  Problem
	Endpoint string // "": all, or none in particular
	User     string // of etcd's, the CN of our certificate; "": unknown
	Prefix   string // of the fleet's keys; "": unknown
	Err      error  // nil: the problem says it all
}

func (e *Error) Error() string {
	text := string(e.Problem)
	if e.Endpoint != "" {
		text = e.Endpoint + ": " + text
	}
	if e.Problem == NoPermission && e.User != "" {
		text += ", as user " + e.User
	}
	if e.Err != nil && e.Err.Error() != string(e.Problem) {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do; "": nothing in particular.
func (e *Error) Hint() string {
	hint := hints[e.Problem]
	var lookup *net.DNSError
	var name x509.HostnameError
	switch {
	case errors.As(e.Err, &lookup):
		hint = "correct the name in endpoints of [fleet], or make it known here; try: getent hosts " + clean(lookup.Name)
	case errors.As(e.Err, &name):
		hint = "use a name in endpoints of [fleet] that etcd's certificate has, or add this one to the certificate's subjectAltName"
	case e.Problem == OurCertRefused && strings.HasSuffix(e.Endpoint, ":2380"):
		hint = "2380 is usually the port of etcd's servers among themselves; members use 2379"
	}
	for _, of := range [...][2]string{{"MEMBER", e.User}, {"ROLE", path.Base(e.Prefix)}, {"PREFIX", e.Prefix}} {
		if of[1] != "" && of[1] != "." {
			hint = strings.ReplaceAll(hint, of[0], of[1])
		}
	}
	return hint
}

var hints = map[Problem]string{
	Unreachable:    "check that etcd runs there, and that no firewall is in between",
	NotEtcd:        "correct endpoints in [fleet]: it is the client URL of etcd, usually port 2379, with https if etcd has certificates",
	Silent:         "check the load and the disk of etcd's servers, and the network to them",
	OurFiles:       "correct ca_file, cert_file and key_file in [fleet]",
	OurCertExpired: "put a new certificate in cert_file; it is read at the next attempt",
	OurCertNotNow:  "compare its dates with the clocks of this machine and of etcd's servers: openssl x509 -noout -dates -in FILE",
	OurCertRefused: "make cert_file with the authority of etcd's --trusted-ca-file, for client authentication",
	TheirCert:      "put the authority that made etcd's server certificates in ca_file",
	TheirExpired:   "renew the server certificate of etcd",
	NoPermission: "etcdctl role add ROLE; etcdctl role grant-permission ROLE --prefix=true readwrite PREFIX; " +
		"etcdctl user add MEMBER --no-password; etcdctl user grant-role MEMBER ROLE",
	NoUser:       "make the certificate's CN the name of a user of etcd's, and start etcd with --client-cert-auth",
	NoLeader:     "check the other servers of etcd: most of them must run and reach each other",
	OtherCluster: "correct endpoints in [fleet]: all must be of one cluster",
	Full:         "etcdctl alarm list; compact and defragment etcd, then: etcdctl alarm disarm",
	TooMuch:      "look who writes below the fleet's prefix: etcdctl get --prefix --keys-only",
}

// isDefinite reports whether neither another endpoint nor another attempt helps.
func isDefinite(err error) bool {
	if errors.Is(err, errCompacted) || errors.Is(err, errLag) {
		return true
	}
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Problem {
	case NoPermission, NoUser, LeaseGone, KeyGone, OtherCluster, WentBack, Full, TooMuch, OurFiles:
		return true
	}
	return false
}

// moreTelling is the error to report of two, in succession: one about access tells more than
// that some server is not reachable.
func moreTelling(a, b error) error {
	if rank(a) > rank(b) {
		return a
	}
	return b
}

func rank(err error) int {
	var e *Error
	if !errors.As(err, &e) {
		return 0
	}
	switch e.Problem {
	case Unreachable, Silent:
		return 1
	case Failed, NoLeader:
		return 2
	case NotEtcd:
		return 3
	}
	return 4
}

// A handshakeError is a TLS handshake that failed.
type handshakeError struct {
	err  error
	ours *x509.Certificate
}

func (e *handshakeError) Error() string { return e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

type fileError struct{ err error }

func (e *fileError) Error() string { return e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

// classify says what an error means. c is the connection of the call that failed; nil: it
// could not be made.
func classify(err error, endpoint string, c *conn) error {
	if err == nil || errors.Is(err, net.ErrClosed) || errors.Is(err, errCompacted) || errors.Is(err, errLag) {
		return err
	}
	var known *Error
	if errors.As(err, &known) {
		if known.Endpoint == "" && !isDefinite(known) {
			return &Error{Problem: known.Problem, Endpoint: endpoint, Err: known.Err}
		}
		return err
	}
	problem, err := diagnose(err, c)
	e := &Error{Problem: problem, Endpoint: endpoint, Err: err}
	if c != nil {
		e.Prefix = c.prefix
	}
	if c != nil && c.ours != nil {
		e.User = clean(c.ours.Subject.CommonName)
		if problem == NoPermission && e.User == "" {
			e.Problem = NoUser
		}
	}
	return e
}

func diagnose(err error, c *conn) (Problem, error) {
	var file *fileError
	var shake *handshakeError
	switch {
	case errors.As(err, &file):
		return OurFiles, err
	case errors.As(err, &shake):
		return ofHandshake(shake)
	case c == nil && errors.Is(err, context.DeadlineExceeded):
		return Unreachable, errors.New(string(Silent))
	case c == nil:
		return Unreachable, err
	}
	if alert := c.wire.alert.Load(); alert != nil {
		return ofAlert(*alert, c.ours), *alert
	}
	if errors.Is(err, errSilent) {
		return Silent, nil
	}
	return ofStatus(err)
}

func ofHandshake(e *handshakeError) (Problem, error) {
	var invalid x509.CertificateInvalidError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case isAlert(e.err):
		return ofAlert(e.err, e.ours), e.err
	case errors.As(e.err, &invalid) && invalid.Reason == x509.Expired:
		return TheirExpired, e.err
	case errors.As(e.err, &verify):
		return TheirCert, e.err
	case errors.As(e.err, &record), errors.Is(e.err, io.EOF):
		return NotEtcd, e.err
	case errors.Is(e.err, context.DeadlineExceeded):
		return Silent, nil
	}
	return Unreachable, e.err
}

// ofAlert reads a TLS alert of the server's.
func ofAlert(alert error, ours *x509.Certificate) Problem {
	now, expired := time.Now(), strings.Contains(alert.Error(), "expired certificate") // or not valid yet
	switch {
	case ours == nil && expired, ours != nil && now.After(ours.NotAfter):
		return OurCertExpired
	case expired, ours != nil && now.Before(ours.NotBefore):
		return OurCertNotNow
	}
	return OurCertRefused
}

// said maps the messages of etcd (api/v3rpc/rpctypes/error.go) to problems.
var said = []struct {
	part    string
	problem Problem
}{
	{"permission denied", NoPermission},
	{"user name is empty", NoUser},
	{"user name not found", NoUser},
	{"invalid auth token", NoUser},
	{"lease not found", LeaseGone},
	{"no leader", NoLeader},
	{"leader changed", NoLeader},
	{"request timed out", NoLeader},
	{"database space exceeded", Full},
}

func ofStatus(err error) (Problem, error) {
	s, ok := status.FromError(err)
	if !ok {
		if errors.Is(err, context.DeadlineExceeded) {
			return Silent, nil
		}
		return Failed, err
	}
	text := clean(s.Message())
	for _, m := range said {
		if strings.Contains(text, m.part) && strings.Contains(text, "etcdserver") {
			return m.problem, errors.New(text)
		}
	}
	switch s.Code() {
	case codes.DeadlineExceeded:
		return Silent, nil
	case codes.Canceled: // the connection was dropped
		return Unreachable, errLost
	case codes.Unavailable:
		if text == "" || strings.Contains(text, errTaken.Error()) {
			return Unreachable, errLost
		}
		return Unreachable, errors.New(text)
	case codes.Unimplemented, codes.Unknown:
		if strings.Contains(text, "HTTP") || strings.Contains(text, "unknown service") {
			return NotEtcd, errors.New(text)
		}
	}
	return Failed, fmt.Errorf("%v: %s", s.Code(), text)
}

var errLost = errors.New("connection lost")

// clean makes a server's text one short line.
func clean(text string) string {
	const limit = 200
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r > 0x7e {
			return '?'
		}
		return r
	}, text)
	if len(text) > limit {
		text = text[:limit] + "..."
	}
	return text
}

// isCompacted reports whether a revision is asked for that etcd no longer has.
func isCompacted(err error) bool {
	return status.Code(err) == codes.OutOfRange && strings.Contains(err.Error(), "compacted")
}

// isTooLarge reports whether the answer was larger than maxMessage.
func isTooLarge(err error) bool {
	return status.Code(err) == codes.ResourceExhausted && strings.Contains(err.Error(), "larger than max")
}
