package probe_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	grpchealth "google.golang.org/grpc/health"
	health "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/daemon/probe/atrest"
	"github.com/providerd/providerd/store/provider"
)

// A guarded server wants a client certificate from one authority, and has a certificate
// from another. Neither is one of this machine's.
type guardedServer struct {
	authority, clients, own *tls.Certificate
	config                  *tls.Config
	files                   *config.TLS
}

func guarded(t testing.TB, version uint16) *guardedServer {
	t.Helper()
	g := &guardedServer{authority: signed(t, "Authority of servers", nil, asAuthority), clients: signed(t, "Authority of clients", nil, asAuthority)}
	g.own = signed(t, "a client", g.clients, nil)
	g.config = &tls.Config{
		Certificates: []tls.Certificate{*signed(t, "a server", g.authority, forServer)},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: poolOf(g.clients), MaxVersion: version,
	}
	dir := t.TempDir()
	g.files = &config.TLS{CAFile: filepath.Join(dir, "ca.pem"), CertFile: filepath.Join(dir, "client.pem"), KeyFile: filepath.Join(dir, "client.pem")}
	inFile(t, g.files.CAFile, false, g.authority)
	inFile(t, g.files.CertFile, true, g.own)
	return g
}

// TestTLS_Files: ca_file and the client certificate apply to every way to a server, and are
// needed there.
func TestTLS_Files(t *testing.T) {
	t.Parallel()
	nobody := x509.NewCertPool()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		g := guarded(t, version)
		address := securely(t, g.config)
		_, port, _ := net.SplitHostPort(address)
		secure := g.config.Clone()
		secure.NextProtos, secure.Time = []string{"h2"}, func() time.Time { return scenarioNow }
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		rpc := grpc.NewServer(grpc.Creds(credentials.NewTLS(secure)))
		health.RegisterHealthServer(rpc, grpchealth.NewServer())
		go func() { _ = rpc.Serve(l) }()
		t.Cleanup(rpc.Stop)
		proxys := signed(t, "a proxy", nil, forServer)
		proxysOwn := &tls.Config{Certificates: []tls.Certificate{*proxys}, ClientAuth: tls.RequestClientCert}
		var shown atomic.Int32
		proxysOwn.VerifyConnection = func(s tls.ConnectionState) error {
			shown.Add(int32(len(s.PeerCertificates)))
			return nil
		}
		for _, tt := range []struct {
			name, kind, base string
			roots            *x509.CertPool
			proxy            *url.URL
		}{
			{"local", "openai-compatible", "https://" + address, nobody, nil},
			{"cloud", "openai", "https://" + address + "/v1", nobody, nil},
			{"http", "http", "https://" + address, nobody, nil},
			{"tls", "tls", "tls://" + address, nobody, nil},
			{"grpc", "grpc", "grpcs://" + l.Addr().String(), nobody, nil},
			{"proxy", "openai", "https://" + llmHost + ":" + port + "/v1", nobody, connecting(t, address, nil)},
			{"proxy to an address", "openai", "https://192.0.2.1:" + port + "/v1", nobody, connecting(t, address, nil)},
			{"secure proxy", "openai", "https://" + llmHost + ":" + port + "/v1", poolOf(proxys), connecting(t, address, proxysOwn)},
		} {
			t.Run(tls.VersionName(version)+" "+tt.name, func(t *testing.T) {
				o := once(t, at(t, tt.kind, tt.base, g.files), inTheYear(tt.roots, tt.proxy), probe.Ask{})
				if strings.HasSuffix(tt.name, "an address") { // the certificate has another
					if o.Saw != provider.TLSFailure || !strings.Contains(o.Detail, "not 192.0.2.1") {
						t.Errorf("saw %s %q", o.Saw, o.Detail)
					}
					return
				}
				if o.Saw != provider.OK {
					t.Fatalf("saw %s %q", o.Saw, o.Detail)
				}
				if c := o.Evidence.TLS.ClientCertificate; tt.kind != "tls" && (c == nil || c.Shown != "CN=a client" || len(c.Takes) != 1 || c.Takes[0] != "CN=Authority of clients") {
					t.Errorf("evidence of the client certificate: %+v", c)
				}
				trusting := inTheYear(poolOf(g.authority, proxys), tt.proxy)
				for missing, s := range map[string]*config.TLS{
					"unknown authority":                {CAFile: g.files.CertFile},
					"unknown authority, ":              {CertFile: g.files.CertFile, KeyFile: g.files.KeyFile},
					"the server wants a client certif": nil,
				} {
					options := trusting
					if s != nil && s.CAFile == "" {
						options.RootCAs = tt.roots
					}
					if tt.kind == "tls" && s == nil && version == tls.VersionTLS13 {
						continue // which is told after the handshake, of which alone it knows
					}
					o := once(t, at(t, tt.kind, tt.base, s), options, probe.Ask{})
					if hungUp := o.Saw == provider.ConnectionReset; tt.kind == "grpc" && s == nil && hungUp {
						missing, o.Saw = "asked for a client certificate", provider.TLSFailure // the library may close before it reads why
					}
					if o.Saw != provider.TLSFailure || !strings.Contains(o.Detail, missing) {
						t.Errorf("without it: saw %s %q, want %q", o.Saw, o.Detail, missing)
					}
				}
			})
		}
		if n := shown.Load(); n != 0 {
			t.Errorf("the proxy was shown %d client certificates", n)
		}
	}
}

// TestTLS_FilesAreReadAnew: a renewed certificate needs no reload. A new connection uses
// what the files hold, and unusable files change nothing.
func TestTLS_FilesAreReadAnew(t *testing.T) {
	t.Parallel()
	g := guarded(t, tls.VersionTLS13)
	dir := t.TempDir()
	g.files.CertFile, g.files.KeyFile = filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	pairs := func(cert, key *tls.Certificate) {
		inFile(t, g.files.CertFile, false, cert)
		inFile(t, g.files.KeyFile, true, key)
	}
	pairs(g.own, g.own)
	var config atomic.Pointer[tls.Config]
	config.Store(g.config)
	address := securely(t, &tls.Config{
		Certificates:       g.config.Certificates, // not used
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return config.Load(), nil },
	})
	g.config.Time = func() time.Time { return scenarioNow }
	pr := newProber(t, at(t, "openai", "https://"+address+"/v1", g.files), inTheYear(x509.NewCertPool(), nil))
	look := func(what string, saw provider.Reason, detail, outdated string) {
		t.Helper()
		o := pr.Probe(t.Context(), probe.Ask{Fresh: true})
		if o.Saw != saw || !strings.Contains(o.Detail, detail) {
			t.Errorf("%s: saw %s %q, want %s %q", what, o.Saw, o.Detail, saw, detail)
		}
		if step := o.Evidence.TLS; step == nil || (step.Outdated == "") != (outdated == "") || !strings.Contains(step.Outdated, outdated) {
			t.Errorf("%s: evidence %+v, want %q", what, step, outdated)
		}
	}
	look("at first", provider.OK, "", "")

	other := g.config.Clone()
	clients := signed(t, "Authority of clients, renewed", nil, asAuthority)
	other.ClientCAs = poolOf(clients)
	config.Store(other)
	look("after the server's change", provider.TLSFailure, "the server rejected the client certificate a client", "")
	renewed := signed(t, "a client, renewed", clients, nil)
	inFile(t, g.files.CertFile, false, renewed)
	look("half way", provider.TLSFailure, "still using the old files: client_key_file", "does not match the certificate")
	inFile(t, g.files.KeyFile, true, renewed)
	look("renewed", provider.OK, "", "")

	for _, path := range []string{g.files.CertFile, g.files.CAFile} {
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
		look("without "+filepath.Base(path), provider.OK, "", "no such file")
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
		look("with "+filepath.Base(path)+" again", provider.OK, "", "")
	}

	authority := signed(t, "Authority of servers, renewed", nil, asAuthority)
	third := other.Clone()
	third.Certificates = []tls.Certificate{*signed(t, "a server", authority, forServer)}
	config.Store(third)
	look("after the server's renewal", provider.TLSFailure, "unknown authority, Authority of servers, renewed", "")
	inFile(t, g.files.CAFile, false, g.authority, authority)
	look("with both authorities", provider.OK, "", "")
}

// TestTLS_FilesThatNeverWere: the configuration was valid, and then the files disappeared.
func TestTLS_FilesThatNeverWere(t *testing.T) {
	t.Parallel()
	g := guarded(t, tls.VersionTLS13)
	address := securely(t, g.config)
	for _, proxy := range []*url.URL{nil, connecting(t, address, nil)} {
		g.files.CAFile = inFolder(t, "absent")
		o := once(t, at(t, "openai", "https://"+address+"/v1", g.files), inTheYear(nil, proxy), probe.Ask{})
		if o.Saw != provider.TLSFailure || !strings.Contains(o.Detail, "absent: no such file") || !strings.Contains(o.Hint, "providerctl reload") {
			t.Errorf("saw %s %q, hint %q", o.Saw, o.Detail, o.Hint)
		}
	}
}

// TestTLS_FilesAreShared: a thousand providers that name one file hold it once.
func TestTLS_FilesAreShared(t *testing.T) {
	authorities := make([]*tls.Certificate, 50)
	for i := range authorities {
		authorities[i] = signed(t, "an authority", nil, asAuthority)
	}
	server := signed(t, "a server", authorities[0], forServer)
	address := securely(t, &tls.Config{Certificates: []tls.Certificate{*server}})
	p := at(t, "openai", "https://"+address+"/v1", &config.TLS{CAFile: inFile(t, inFolder(t, "ca"), false, authorities...)})
	const probers, patience = 50, 3
	take := func(n int) (each int64) {
		made, o := make([]*probe.Prober, n), inTheYear(nil, nil)
		before := atrest.InUse()
		for i := range made {
			made[i] = newProber(t, p, o)
			if o := made[i].Probe(t.Context(), probe.Ask{Part: true}); o.Saw != provider.OK {
				t.Fatalf("saw %s %q", o.Saw, o.Detail)
			}
		}
		each = (atrest.InUse() - before) / int64(n)
		for _, pr := range made {
			pr.Close()
		}
		return each
	}
	first, each := take(1), take(probers)
	for range patience { // the garbage of other tests may go down late, which hides what is taken
		first, each = max(first, take(1)), min(each, take(probers))
	}
	if t.Logf("each of %d takes %d bytes, the first %d", probers, each, first); each > first/4 {
		t.Errorf("each of %d takes %d bytes, the first %d", probers, each, first)
	}
}
