package probe_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
)

// llmHost is the host of the servers in these tests if they are reached through a proxy.
const llmHost = "llm.example"

var serial atomic.Int64

// signed makes a certificate, changed as a test wants; with a nil issuer, a self-signed
// one.
func signed(t testing.TB, name string, issuer *tls.Certificate, change func(*x509.Certificate)) *tls.Certificate {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serial.Add(1)), Subject: pkix.Name{CommonName: name},
		NotBefore: scenarioNow.AddDate(-1, 0, 0), NotAfter: scenarioNow.AddDate(1, 0, 0),
	}
	if change != nil {
		change(c)
	}
	made, err := sign(c, issuer)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func asAuthority(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
}

// forServer is valid for the addresses of the tests' servers.
func forServer(c *x509.Certificate) {
	c.DNSNames, c.IPAddresses = []string{llmHost}, []net.IP{net.IPv4(127, 0, 0, 1)}
}

// with is a certificate that is sent together with others.
func with(c *tls.Certificate, others ...*tls.Certificate) tls.Certificate {
	out := *c
	out.Certificate = slices.Clone(c.Certificate)
	for _, other := range others {
		out.Certificate = append(out.Certificate, other.Certificate...)
	}
	return out
}

// poolOf is a pool of trusted authorities.
func poolOf(certs ...*tls.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c.Leaf)
	}
	return pool
}

// inFile writes certificates and, if wanted, the key of the first of them as PEM.
func inFile(t testing.TB, path string, key bool, certs ...*tls.Certificate) string {
	t.Helper()
	var out []byte
	for _, c := range certs {
		for _, der := range c.Certificate {
			out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
		}
	}
	if key {
		der, err := x509.MarshalPKCS8PrivateKey(certs[0].PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	}
	if err := os.WriteFile(path+".new", out, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil { // as those do that renew certificates
		t.Fatal(err)
	}
	return path
}

// securely serves a model list over TLS.
func securely(t testing.TB, c *tls.Config) (address string) {
	t.Helper()
	return talkSecurely(t, c, func(c *tls.Conn) {
		in := bufio.NewReader(c)
		for {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			if _, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(aList), aList); err != nil {
				return
			}
		}
	})
}

// talkSecurely passes each connection on once its handshake is done, or has failed.
func talkSecurely(t testing.TB, c *tls.Config, f func(*tls.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if c.Time == nil {
		c.Time = func() time.Time { return scenarioNow }
	}
	return talkOver(t, l, false, func(raw net.Conn) {
		peer := tls.Server(raw, c)
		if peer.Handshake() == nil {
			f(peer)
		}
		_, _ = io.Copy(io.Discard, raw) // until the client has read why
	})
}

// connecting is a proxy that connects everybody to one address, whatever they asked for.
func connecting(t *testing.T, to string, over *tls.Config) (proxy *url.URL) {
	t.Helper()
	serve := func(c net.Conn) {
		in := bufio.NewReader(c)
		r, err := http.ReadRequest(in)
		if err != nil || r.Method != http.MethodConnect {
			return
		}
		there, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer there.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() {
			_, _ = io.Copy(there, in)
			_ = there.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(c, there)
	}
	if over == nil {
		return &url.URL{Scheme: "http", Host: talk(t, false, serve)}
	}
	return &url.URL{Scheme: "https", Host: talkSecurely(t, over, func(c *tls.Conn) { serve(c) })}
}

// inTheYear are options with the clock of these tests.
func inTheYear(roots *x509.CertPool, proxy *url.URL) probe.Options {
	return probe.Options{
		RootCAs: roots, Now: func() time.Time { return scenarioNow }, Common: new(probe.Common),
		Proxy: func(*http.Request) (*url.URL, error) { return proxy, nil },
	}
}

// at is the provider for a server, with TLS settings.
func at(t testing.TB, kind, base string, s *config.TLS) config.Provider {
	p := configured(t, kind, base, "")
	p.TLS = s
	return p
}

func inFolder(t testing.TB, name string) string { return filepath.Join(t.TempDir(), name) }
