//go:build linux

package sink

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
)

// A kitchen is where a recipe is tried: its credentials, and servers that stand in for all others.
type kitchen struct {
	t           *testing.T
	credentials string
	secure      *httptest.Server // for https; its certificate is for all names
	plain       *httptest.Server
	got         []request
	hosts       []string
	answer      func(w http.ResponseWriter, r *request)
	env         config.Env
	bus         string
}

// TestMain makes the certificate of the kitchens' servers one that this machine trusts.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "authority")
	if err != nil {
		panic(err)
	}
	if err := certify(dir); err != nil {
		panic(err)
	}
	os.Setenv("SSL_CERT_FILE", filepath.Join(dir, "ca.pem"))
	os.Setenv("SSL_CERT_DIR", dir)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func newKitchen(t *testing.T) *kitchen {
	k := &kitchen{t: t, credentials: t.TempDir()}
	serve := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		k.hosts = append(k.hosts, r.Host)
		got := request{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header, body}
		k.got = append(k.got, got)
		if k.answer != nil {
			k.answer(w, &got)
		}
	}
	k.plain = httptest.NewServer(http.HandlerFunc(serve))
	k.secure = httptest.NewUnstartedServer(http.HandlerFunc(serve))
	k.secure.TLS = &tls.Config{Certificates: []tls.Certificate{serverCertificate}}
	k.secure.StartTLS()
	t.Cleanup(k.plain.Close)
	t.Cleanup(k.secure.Close)
	k.env = config.Env{UID: 1000, Getenv: func(name string) string {
		return map[string]string{"CREDENTIALS_DIRECTORY": k.credentials, "DBUS_SESSION_BUS_ADDRESS": k.bus}[name]
	}}
	return k
}

func (k *kitchen) credential(name, text string) {
	if err := os.WriteFile(filepath.Join(k.credentials, name), []byte(text+"\n"), 0o600); err != nil {
		k.t.Fatal(err)
	}
}

// dial reaches the kitchen's servers instead of any other.
func (k *kitchen) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	to := k.plain
	if strings.HasSuffix(addr, ":443") {
		to = k.secure
	}
	return new(net.Dialer).DialContext(ctx, network, to.Listener.Addr().String())
}

// read reads a recipe's configuration, as the daemon does.
func (k *kitchen) read(r recipe) []config.Notify {
	k.t.Helper()
	text := strings.Join(r.blocks["toml"], "\n")
	env := k.env
	env.CheckNotify = Check
	cfg, err := config.Parse("providerd.toml", []byte(text), probe.Kinds(), env)
	if err != nil {
		k.t.Fatal(err)
	}
	for i := range cfg.Notify {
		if faults := cfg.Notify[i].Faults; len(faults) > 0 {
			k.t.Fatal(faults)
		}
	}
	return cfg.Notify
}

func (k *kitchen) sink(n config.Notify) Sink {
	k.t.Helper()
	o := options()
	o.Env, o.Dial, o.Proxy = k.env, k.dial, func(*http.Request) (*url.URL, error) { return nil, nil }
	s, err := New(n, o)
	if err != nil {
		k.t.Fatal(err)
	}
	return s
}

// program puts a recipe's script into a folder of its own, with a program of the system
// replaced, and returns the sink.
func (k *kitchen) program(r recipe, replaced, by string) (s Sink, dir string) {
	k.t.Helper()
	n := k.read(r)[0]
	path := script(k.t, strings.TrimPrefix(by, "#!/bin/sh\n"))
	text := r.blocks["sh"][len(r.blocks["sh"])-1]
	if !strings.Contains(text, replaced) {
		k.t.Fatalf("the script does not run %s", replaced)
	}
	own := script(k.t, strings.TrimPrefix(strings.ReplaceAll(text, replaced, path), "#!/bin/sh\n"))
	n.Command[0] = own
	return k.sink(n), filepath.Dir(path)
}

// serve tries a recipe with a notice of each type, and returns its bodies.
func (k *kitchen) serve(r recipe) (bodies []map[string]any) {
	k.t.Helper()
	s := k.sink(k.read(r)[0])
	for _, n := range notices() {
		if err := deliver(k.t, s, n); err != nil {
			k.t.Fatalf("%s: %v", n.Type, err)
		}
	}
	if len(k.got) != len(notices()) {
		k.t.Fatalf("%d requests", len(k.got))
	}
	for _, r := range k.got {
		var body map[string]any
		if err := json.Unmarshal(r.body, &body); err != nil {
			k.t.Fatal(err)
		}
		bodies = append(bodies, body)
	}
	return bodies
}

func (k *kitchen) wantEach(method, host, path, contentType string) {
	k.t.Helper()
	for i, r := range k.got {
		if r.method != method || k.hosts[i] != host || r.path != path || r.header.Get("Content-Type") != contentType {
			k.t.Errorf("%s %s%s, %s", r.method, k.hosts[i], r.path, r.header.Get("Content-Type"))
		}
	}
}
