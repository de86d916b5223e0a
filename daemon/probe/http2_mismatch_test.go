package probe_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A server that speaks only HTTP/2 is recognised however it shows that: with a SETTINGS
// frame, a GOAWAY frame, an alert, or by hanging up without a word.
func TestProbe_HTTP2Only(t *testing.T) {
	t.Parallel()
	ts := httptest.NewUnstartedServer(nil)
	ts.StartTLS()
	defer ts.Close()
	roots, config := x509.NewCertPool(), ts.TLS.Clone()
	roots.AddCert(ts.Certificate())
	secure := config.Clone()
	secure.NextProtos = []string{"h2"}
	only := new(http.Protocols)
	only.SetHTTP2(true)
	own := func(t *testing.T) string {
		s := httptest.NewUnstartedServer(nil)
		s.Config.Protocols, s.Config.ErrorLog, s.EnableHTTP2 = only, discard(), true
		s.TLS = secure.Clone()
		s.StartTLS()
		t.Cleanup(s.Close)
		return s.URL
	}
	rpc := func(t *testing.T, scheme string, o ...grpc.ServerOption) string {
		s := grpc.NewServer(o...)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = s.Serve(l) }()
		t.Cleanup(s.Stop)
		return scheme + l.Addr().String()
	}
	says := func(words string) func(*testing.T) string {
		return func(t *testing.T) string {
			return "http://" + talk(t, true, func(c net.Conn) { _, _ = io.WriteString(c, words) })
		}
	}
	for name, address := range map[string]func(*testing.T) string{
		"net/http over TLS":  own,
		"net/http":           func(t *testing.T) string { return unencrypted(t, false) },
		"gRPC":               func(t *testing.T) string { return rpc(t, "http://") },
		"gRPC over TLS":      func(t *testing.T) string { return rpc(t, "https://", grpc.Creds(credentials.NewTLS(secure))) },
		"SETTINGS":           says("\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"),
		"SETTINGS, empty":    says("\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
		"GOAWAY":             says("\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"),
		"SETTINGS over TLS":  func(t *testing.T) string { return settingsOverTLS(t, config) },
		"an alert, over TLS": func(t *testing.T) string { return alerts(t, config) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pr := newProber(t, configured(t, "openai-compatible", address(t), ""), probe.Options{RootCAs: roots})
			o := pr.Probe(t.Context(), probe.Ask{})
			if o.Saw == provider.ConnectionReset && name == "net/http" { // one may be an accident
				o = pr.Probe(t.Context(), probe.Ask{})
			}
			if o.Saw != provider.WrongService || !strings.Contains(o.Detail, "it speaks only HTTP/2") {
				t.Errorf("saw %s %q", o.Saw, o.Detail)
			}
		})
	}
	both := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	both.TLS, both.EnableHTTP2, both.Config.ErrorLog = config.Clone(), true, discard()
	both.StartTLS()
	defer both.Close()
	o := once(t, configured(t, "openai-compatible", both.URL, ""), probe.Options{RootCAs: roots}, probe.Ask{})
	if o.Saw != provider.ConnectionReset {
		t.Errorf("who speaks HTTP/1.1 too and hangs up: saw %s %q", o.Saw, o.Detail)
	}
}

// alerts refuses a client that does not offer h2, as nginx and OpenSSL do.
func alerts(t *testing.T, config *tls.Config) (url string) {
	c := config.Clone()
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		chosen := config.Clone()
		chosen.NextProtos = []string{"h2"}
		if !slices.Contains(hello.SupportedProtos, "h2") {
			chosen.NextProtos = []string{"of nobody"} // net/http lets a client of HTTP/1.1 pass otherwise
		}
		return chosen, nil
	}
	return "https://" + talk(t, false, func(raw net.Conn) { _ = tls.Server(raw, c).Handshake() })
}

// unencrypted is a server without TLS that speaks HTTP/2, and perhaps HTTP/1.1, and aborts
// each answer.
func unencrypted(t *testing.T, both bool) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	s.Config.Protocols, s.Config.ErrorLog = new(http.Protocols), discard()
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.Protocols.SetHTTP1(both)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// settingsOverTLS speaks HTTP/2 although the handshake did not ask for it.
func settingsOverTLS(t *testing.T, config *tls.Config) string {
	t.Helper()
	plain := config.Clone()
	plain.NextProtos = nil
	l, err := tls.Listen("tcp", "127.0.0.1:0", plain)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(attend(l, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1<<10))
		_, _ = io.WriteString(c, "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64")
	}))
	return "https://" + l.Addr().String()
}

// A server without TLS that aborts its answers, and speaks HTTP/1.1 too, is not reported to
// speak only HTTP/2.
func TestProbe_HTTP2BesideHTTP1(t *testing.T) {
	pr := newProber(t, configured(t, "openai-compatible", unencrypted(t, true), ""), probe.Options{})
	for range 3 {
		if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.ConnectionReset {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
	}
}
