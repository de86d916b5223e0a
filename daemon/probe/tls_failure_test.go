package probe_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A refusal is a failed handshake, and what the row says about it.
type refusal struct {
	detail, hint string // parts of them
}

func (want refusal) see(t *testing.T, o probe.Observation) {
	t.Helper()
	if o.Saw != provider.TLSFailure || !strings.Contains(o.Detail, want.detail) || !strings.Contains(o.Hint, want.hint) || o.Hint == "" {
		t.Errorf("saw %s\n  detail %q, want %q\n  hint %q, want %q", o.Saw, o.Detail, want.detail, o.Hint, want.hint)
	}
	for _, text := range []string{o.Detail, o.Hint} {
		if strings.HasSuffix(text, "…") {
			t.Errorf("truncated: %q", text)
		}
	}
}

// TestTLS_Trust: what is wrong with a server's certificate, and what to do about it.
func TestTLS_Trust(t *testing.T) {
	t.Parallel()
	root := signed(t, "Root of nobody", nil, asAuthority)
	middle := signed(t, "Issuer of nobody", root, asAuthority)
	gone := signed(t, "Old issuer of nobody", root, func(c *x509.Certificate) {
		asAuthority(c)
		c.NotAfter = scenarioNow.Add(-40 * day)
	})
	inspector := signed(t, "Inspector Root CA", nil, func(c *x509.Certificate) {
		asAuthority(c)
		c.Subject.Organization = []string{"Example Inspection Inc."}
	})
	server := func(issuer *tls.Certificate, change func(*x509.Certificate)) *tls.Certificate {
		return signed(t, "a server", issuer, func(c *x509.Certificate) {
			forServer(c)
			if change != nil {
				change(c)
			}
		})
	}
	aia := func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://authority.example/issuer.der"} }
	roots := poolOf(root)
	others := inFile(t, inFolder(t, "ca"), false, inspector)
	for _, tt := range []struct {
		name  string
		kind  string
		shown tls.Certificate
		roots *x509.CertPool
		ca    string
		want  refusal
	}{
		{"private authority", "openai-compatible", with(server(middle, nil), middle), poolOf(inspector), "",
			refusal{"unknown authority, Root of nobody", "ca_file of {id}"}},
		{"how to trust it for all", "openai-compatible", *server(root, nil), poolOf(inspector), "",
			refusal{"unknown authority", "use update-ca-certificates or SSL_CERT_FILE, then restart providerd"}},
		{"an inspecting proxy", "openai", with(server(inspector, nil), inspector), roots, "",
			refusal{"unknown authority, Inspector Root CA (Example Inspection Inc.)", "if a proxy here inspects TLS"}},
		{"self-signed", "openai-compatible", *server(nil, nil), roots, "",
			refusal{"the certificate of a server is self-signed (unknown authority)", "name it as ca_file of {id}"}},
		{"incomplete chain", "openai-compatible", *server(middle, aia), roots, "",
			refusal{"unknown authority, Issuer of nobody: the server seems to leave out that authority's certificate", "fullchain.pem"}},
		{"no authorities", "openai-compatible", *server(root, nil), x509.NewCertPool(), "",
			refusal{"this machine has no certificate authorities", "install ca-certificates"}},
		{"no authorities, for a vendor", "openai", *server(root, nil), x509.NewCertPool(), "",
			refusal{"this machine has no certificate authorities", "SSL_CERT_FILE"}},
		{"others in ca_file", "openai-compatible", *server(root, nil), roots, others,
			refusal{"unknown authority, Root of nobody", "which replaces this machine's authorities"}},
		{"others in ca_file, and none besides", "openai", *server(root, nil), x509.NewCertPool(), others,
			refusal{"unknown authority, Root of nobody", "add its authority's certificate to ca_file"}},
		{"expired", "openai-compatible", *server(root, func(c *x509.Certificate) { c.NotAfter = scenarioNow.Add(-3 * day) }), roots, "",
			refusal{"the certificate has expired: it ended on 2026-05-01 12:00 UTC, 3 days ago", "renew it"}},
		{"a vendor's expired", "openai", *server(root, func(c *x509.Certificate) { c.NotAfter = scenarioNow.Add(-day) }), roots, "",
			refusal{"1 day ago; this machine's clock says 2026-05-04 12:00 UTC", "this machine's clock"}},
		{"not yet", "openai-compatible", *server(root, func(c *x509.Certificate) { c.NotBefore = scenarioNow.Add(day) }), roots, "",
			refusal{"not yet valid: it begins on 2026-05-05 12:00 UTC, and this machine's clock says 2026-05-04 12:00 UTC", "this machine's clock"}},
		{"its issuer expired", "openai-compatible", with(server(gone, nil), gone), roots, "",
			refusal{"the certificate of its issuer Old issuer of nobody has expired", "renew it"}},
		{"another name", "openai-compatible", *server(root, func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"a.example", "b.example"}, nil }), roots, "",
			refusal{"the certificate is for a.example, b.example, and doesn't contain any IP SANs: not 127.0.0.1", "a name that is in the certificate"}},
		{"many other names", "openai-compatible", *server(root, func(c *x509.Certificate) {
			c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)}
			c.DNSNames = []string{"a.example", "b.example", "c.example", "d.example"}
		}), roots, "", refusal{"a.example, b.example, c.example and 2 more: not 127.0.0.1", "base_url"}},
		{"no name", "openai-compatible", *server(root, func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil }), roots, "",
			refusal{"the certificate is for no host name (its subject, a server, does not count)", "base_url"}},
		{"a proxy's default", "openai-compatible", *server(nil, func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "TRAEFIK DEFAULT CERT"} }), roots, "",
			refusal{"Traefik has no certificate for 127.0.0.1 and sent its default one", "give Traefik one"}},
		{"an ingress controller's default", "tls", *server(nil, func(c *x509.Certificate) {
			c.Subject = pkix.Name{CommonName: "Kubernetes Ingress Controller Fake Certificate", Organization: []string{"Acme Co"}}
			c.DNSNames, c.IPAddresses = []string{"ingress.local"}, nil
		}), roots, "", refusal{"the ingress controller has no certificate for 127.0.0.1", "give the ingress controller one"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address := securely(t, &tls.Config{Certificates: []tls.Certificate{tt.shown}})
			base, files := "https://"+address, (*config.TLS)(nil)
			if tt.kind == "tls" {
				base = "tls://" + address
			}
			if tt.ca != "" {
				files = &config.TLS{CAFile: tt.ca}
			}
			tt.want.see(t, once(t, at(t, tt.kind, base, files), inTheYear(tt.roots, nil), probe.Ask{}))
		})
	}
}

// TestTLS_ClientCertificateRejected: the row says that one was sent, and why the server
// rejected it.
func TestTLS_ClientCertificateRejected(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		g := guarded(t, version)
		address := securely(t, g.config)
		stranger := signed(t, "Authority of strangers", nil, asAuthority)
		for name, tt := range map[string]struct {
			own  *tls.Certificate
			want refusal
		}{
			"of another authority": {signed(t, "a stranger", stranger, nil), refusal{"rejected the client certificate a stranger: ", "from an authority that the server trusts"}},
			"says whose it takes":  {signed(t, "a stranger", stranger, nil), refusal{"the server accepts those signed by CN=Authority of clients", "client_cert_file"}},
			"expired": {signed(t, "a client", g.clients, func(c *x509.Certificate) { c.NotAfter = scenarioNow.Add(-time.Hour) }),
				refusal{"it expired on 2026-05-04 11:00 UTC", "renew the certificate in client_cert_file"}},
			"not yet good": {signed(t, "a client", g.clients, func(c *x509.Certificate) { c.NotBefore = scenarioNow.Add(time.Hour) }),
				refusal{"it is not valid before 2026-05-04 13:00 UTC", "clock"}},
			"for servers": {signed(t, "a client", g.clients, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
				refusal{"it is not a client certificate (extended key usage)", "needs a client certificate"}},
		} {
			t.Run(tls.VersionName(version)+" "+name, func(t *testing.T) {
				t.Parallel()
				files := *g.files
				files.CertFile = inFile(t, inFolder(t, "own"), true, tt.own)
				files.KeyFile = files.CertFile
				tt.want.see(t, once(t, at(t, "openai-compatible", "https://"+address, &files), inTheYear(nil, nil), probe.Ask{}))
			})
		}
	}
}

// TestTLS_ClientCertificateMissing: the row says whose certificates the server accepts,
// whatever the server says itself, or even nothing.
func TestTLS_ClientCertificateMissing(t *testing.T) {
	t.Parallel()
	const detail = "the server wants a client certificate, signed by CN=Authority of clients"
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, kind := range []string{"openai", "openai-compatible", "http"} {
			t.Run(tls.VersionName(version)+" "+kind, func(t *testing.T) {
				t.Parallel()
				g := guarded(t, version)
				address := securely(t, g.config)
				o := once(t, at(t, kind, "https://"+address, nil), inTheYear(poolOf(g.authority), nil), probe.Ask{})
				refusal{detail, "set client_cert_file and client_key_file of {id}"}.see(t, o)
				if c := o.Evidence.TLS.ClientCertificate; c == nil || c.Shown != "" || len(c.Takes) != 1 {
					t.Errorf("evidence: %+v", c)
				}
			})
		}
	}
	t.Run("hung up on", func(t *testing.T) {
		t.Parallel()
		g := guarded(t, tls.VersionTLS13)
		g.config.ClientAuth = tls.RequestClientCert
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		g.config.Time = func() time.Time { return scenarioNow }
		address := talkOver(t, l, false, func(c net.Conn) { _ = tls.Server(c, g.config).Handshake() })
		o := once(t, at(t, "openai", "https://"+address, nil), inTheYear(poolOf(g.authority), nil), probe.Ask{})
		if o.Saw != provider.ConnectionReset || !strings.Contains(o.Detail, "asked for a client certificate and got none") || !strings.Contains(o.Hint, "client_cert_file") {
			t.Errorf("saw %s %q, hint %q", o.Saw, o.Detail, o.Hint)
		}
	})
	t.Run("a page that says nothing", func(t *testing.T) {
		t.Parallel()
		for status, saw := range map[string]provider.Reason{"400 Bad Request": provider.TLSFailure, "403 Forbidden": provider.Forbidden} {
			g := guarded(t, tls.VersionTLS13)
			g.config.ClientAuth = tls.RequestClientCert
			address := talkSecurely(t, g.config, func(c *tls.Conn) {
				in := bufio.NewReader(c)
				for {
					if _, err := http.ReadRequest(in); err != nil {
						return
					}
					_, _ = io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")
				}
			})
			pr := newProber(t, at(t, "openai", "https://"+address, nil), inTheYear(poolOf(g.authority), nil))
			for range 2 { // the second over the kept connection
				if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != saw || !strings.Contains(o.Detail, "client certificate") || !strings.Contains(o.Hint, "client_cert_file") {
					t.Errorf("%s: saw %s %q, hint %q", status, o.Saw, o.Detail, o.Hint)
				}
			}
		}
	})
	for name, tt := range map[string]struct {
		page, detail string
		status       string
	}{
		"nginx, none":  {"<html><head><title>400 No required SSL certificate was sent</title></head></html>", "the server wants a client certificate", "400 Bad Request"},
		"nginx, bad":   {"<html><head><title>400 The SSL certificate error</title></head></html>", "the server rejected the client certificate", "400 Bad Request"},
		"Kong":         {`{"message":"No required TLS certificate was sent"}`, "the server wants a client certificate", "401 Unauthorized"},
		"IIS":          {"<h2>403 - Forbidden: Client certificate required</h2>", "the server wants a client certificate", "403 Forbidden"},
		"nginx, alone": {"", "the server wants a client certificate", "496 SSL Certificate Required"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := signed(t, "Root of nobody", nil, asAuthority)
			address := talkSecurely(t, &tls.Config{Certificates: []tls.Certificate{*signed(t, "a server", root, forServer)}}, func(c *tls.Conn) {
				if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					_, _ = io.WriteString(c, "HTTP/1.1 "+tt.status+"\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n"+tt.page)
					_ = c.CloseWrite()
				}
			})
			for _, kind := range []string{"openai", "ollama", "http"} {
				refusal{tt.detail, "client_cert_file"}.see(t, once(t, at(t, kind, "https://"+address, nil), inTheYear(poolOf(root), nil), probe.Ask{}))
			}
		})
	}
}

// TestTLS_ClientCertificateRejectedWithAPage: nginx finishes the handshake before it checks
// the certificate.
func TestTLS_ClientCertificateRejectedWithAPage(t *testing.T) {
	t.Parallel()
	g := guarded(t, tls.VersionTLS13)
	g.config.ClientAuth = tls.RequestClientCert
	address := talkSecurely(t, g.config, func(c *tls.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n<title>400 The SSL certificate error</title>")
			_ = c.CloseWrite()
		}
	})
	stranger := signed(t, "a stranger", signed(t, "Authority of strangers", nil, asAuthority), nil)
	g.files.CertFile = inFile(t, inFolder(t, "own"), true, stranger)
	g.files.KeyFile = g.files.CertFile
	o := once(t, at(t, "openai", "https://"+address, g.files), inTheYear(nil, nil), probe.Ask{})
	refusal{"400 Bad Request: the server rejected the client certificate a stranger; the server accepts those signed by CN=Authority of clients", "client_cert_file"}.see(t, o)
}

// TestTLS_Alerts: what the alert means with which a server ends the handshake.
func TestTLS_Alerts(t *testing.T) {
	t.Parallel()
	old := func(most uint16) *tls.Config {
		root := signed(t, "Root of nobody", nil, asAuthority)
		return &tls.Config{Certificates: []tls.Certificate{*signed(t, "a server", root, forServer)}, MinVersion: tls.VersionTLS10, MaxVersion: most}
	}
	alert := func(code byte) string {
		return talk(t, false, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4<<10))
			_, _ = c.Write([]byte{21, 3, 3, 0, 2, 2, code})
			_, _ = io.Copy(io.Discard, c)
		})
	}
	for name, tt := range map[string]struct {
		address string
		want    refusal
	}{
		"TLS 1.1":      {securely(t, old(tls.VersionTLS11)), refusal{"the server's newest version is TLS 1.1", "enable TLS 1.2 or 1.3"}},
		"TLS 1.0":      {securely(t, old(tls.VersionTLS10)), refusal{"the server's newest version is TLS 1.0", "enable TLS 1.2 or 1.3"}},
		"no version":   {alert(70), refusal{"the server speaks neither TLS 1.2 nor TLS 1.3", "enable TLS 1.2 or 1.3"}},
		"unknown name": {alert(112), refusal{"the server does not know the host 127.0.0.1: unrecognized name", "host name"}},
		"internal":     {alert(80), refusal{"internal error; base_url has an IP address, so no host name was sent", "host name"}},
		"no cipher":    {alert(40), refusal{"the server refused the handshake: handshake failure", "host name"}},
		"required":     {alert(116), refusal{"the server wants a client certificate", "client_cert_file"}},
		"chosen": {talk(t, false, func(c net.Conn) { // as servers do that know of no other version
			_, _ = c.Read(make([]byte, 4<<10))
			hello := append([]byte{22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1}, make([]byte, 32)...)
			_, _ = c.Write(append(hello, 0, 0xc0, 0x13, 0))
			_, _ = io.Copy(io.Discard, c)
		}), refusal{"the server's newest version is TLS 1.0", "enable TLS 1.2 or 1.3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, kind := range []string{"openai", "tls"} {
				scheme := map[string]string{"openai": "https://", "tls": "tls://"}[kind]
				tt.want.see(t, once(t, at(t, kind, scheme+tt.address, nil), inTheYear(x509.NewCertPool(), nil), probe.Ask{}))
			}
		})
	}
}

// TestTLS_ProxysOwnHandshake: ca_file does not apply to a proxy's certificate.
func TestTLS_ProxysOwnHandshake(t *testing.T) {
	t.Parallel()
	g := guarded(t, tls.VersionTLS13)
	address := securely(t, g.config)
	proxy := connecting(t, address, &tls.Config{Certificates: []tls.Certificate{*signed(t, "a proxy", g.authority, forServer)}})
	o := once(t, at(t, "openai", "https://"+llmHost+"/v1", g.files), inTheYear(poolOf(signed(t, "Root of nobody", nil, asAuthority)), proxy), probe.Ask{})
	if !strings.Contains(o.Detail, "through the proxy") || !strings.Contains(o.Detail, "unknown authority, Authority of servers") || strings.Contains(o.Hint, filepath.Base(g.files.CAFile)) {
		t.Errorf("saw %s %q, hint %q", o.Saw, o.Detail, o.Hint)
	}
}
