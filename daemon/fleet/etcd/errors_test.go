package etcd

import (
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

func TestError_HintSaysWhatToType(t *testing.T) {
	t.Parallel()
	lookup := &net.DNSError{Err: "i/o timeout", Name: "etcd-22"}
	name := x509.HostnameError{Certificate: &x509.Certificate{}, Host: "192.0.2.1"}
	for _, test := range []struct {
		err  Error
		want string
	}{
		{Error{Problem: NoPermission, User: "gpu3", Prefix: "/providerd/v1/lab/"},
			"etcdctl role grant-permission lab --prefix=true readwrite /providerd/v1/lab/; etcdctl user add gpu3 --no-password; etcdctl user grant-role gpu3 lab"},
		{Error{Problem: NoPermission}, "etcdctl user grant-role MEMBER ROLE"},
		{Error{Problem: Unreachable, Err: &net.OpError{Op: "dial", Err: lookup}}, "getent hosts etcd-22"},
		{Error{Problem: Unreachable, Err: errors.New("connection refused")}, "check that etcd runs there"},
		{Error{Problem: Silent}, "load and the disk"},
		{Error{Problem: TheirCert, Err: name}, "subjectAltName"},
		{Error{Problem: TheirCert, Err: x509.UnknownAuthorityError{}}, "ca_file"},
		{Error{Problem: OurCertRefused, Endpoint: "https://etcd-1:2380"}, "members use 2379"},
		{Error{Problem: OurCertRefused, Endpoint: "https://etcd-1:2379"}, "--trusted-ca-file"},
	} {
		if got := test.err.Hint(); !strings.Contains(got, test.want) {
			t.Errorf("%v: %q lacks %q", &test.err, got, test.want)
		}
	}
}

// A server calls a certificate expired, too, if it is not valid yet.
func TestAlert_OfACertificateThatIsNotValidNow(t *testing.T) {
	t.Parallel()
	expired := errors.New("remote error: tls: expired certificate")
	now := time.Now()
	valid := func(from, to time.Duration) *x509.Certificate {
		return &x509.Certificate{NotBefore: now.Add(from), NotAfter: now.Add(to)}
	}
	for name, test := range map[string]struct {
		alert string
		ours  *x509.Certificate
		want  Problem
	}{
		"Over":         {expired.Error(), valid(-2*time.Hour, -time.Hour), OurCertExpired},
		"NotYet":       {expired.Error(), valid(time.Hour, 2*time.Hour), OurCertNotNow},
		"NotByItsTime": {expired.Error(), valid(-time.Hour, time.Hour), OurCertNotNow},
		"Unknown":      {expired.Error(), nil, OurCertExpired},
		"Another":      {"remote error: tls: bad certificate", valid(-time.Hour, time.Hour), OurCertRefused},
	} {
		if got := ofAlert(errors.New(test.alert), test.ours); got != test.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
