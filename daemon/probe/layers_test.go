package probe_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// TestProbe_Layers: what a failure below HTTP means, by the rule's name. For silence, see
// TestSilence_Layers.
func TestProbe_Layers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		address   func(*testing.T) string // base_url
		options   probe.Options
		want      provider.Reason
		detail    string
		listening string
		hostFault bool
	}{
		{name: "connection refused", want: provider.ConnectionRefused, listening: "no", detail: "connection refused",
			address: func(t *testing.T) string { return "http://" + unused(t) }},
		{name: "no such host", want: provider.DNSFailure, listening: "untried", detail: "no such host: gpu.example",
			address: named, options: probe.Options{Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
				return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
			}}},
		{name: "a name without an address", want: provider.DNSFailure, listening: "untried", detail: "no such host",
			address: named, options: probe.Options{Resolve: func(context.Context, string) ([]netip.Addr, error) { return nil, nil }}},
		{name: "SERVFAIL", want: provider.DNSFailure, listening: "untried", detail: "server misbehaving", hostFault: true,
			address: named, options: probe.Options{Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
				return nil, &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}
			}}},
		{name: "no route", want: provider.NetworkUnreachable, listening: "no", hostFault: true, detail: "unreachable",
			address: local, options: dialFails(syscall.ENETUNREACH)},
		{name: "host unreachable", want: provider.NetworkUnreachable, listening: "no", hostFault: true,
			address: local, options: dialFails(syscall.EHOSTUNREACH)},
		{name: "connect timed out by the system", want: provider.ConnectTimeout, listening: "no",
			address: func(*testing.T) string { return "http://192.0.2.1:1" }, options: dialFails(syscall.ETIMEDOUT)},
		{name: "connect timed out by the system on this machine", want: provider.Hung, listening: "no", detail: "accepts no connections",
			address: local, options: dialFails(syscall.ETIMEDOUT)},
		{name: "no descriptors left", want: provider.ProbeFailed, listening: "untried", detail: "too many open files",
			address: local, options: dialFails(syscall.EMFILE)},
		{name: "no descriptors left for the resolver", want: provider.ProbeFailed, listening: "untried", detail: "too many open files",
			address: named, options: probe.Options{Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
				return nil, &net.DNSError{Err: "dial udp 127.0.0.53:53: socket: " + syscall.EMFILE.Error(), Name: host, IsTemporary: true}
			}}},
		{name: "no buffers left", want: provider.ProbeFailed, listening: "untried", detail: "no buffer space available",
			address: local, options: dialFails(syscall.ENOBUFS)},
		{name: "no memory left", want: provider.ProbeFailed, listening: "untried", detail: "cannot allocate memory",
			address: local, options: dialFails(syscall.ENOMEM)},
		{name: "a panic while dialling", want: provider.ProbeFailed, listening: "untried", detail: "panic: boom",
			address: local, options: probe.Options{Dial: func(context.Context, string, string) (net.Conn, error) { panic("boom") }}},
		{name: "closed before an answer", want: provider.ConnectionReset, listening: "yes", detail: "closed before an answer",
			address: func(t *testing.T) string { return say(t, "") }},
		{name: "closed at once", want: provider.ConnectionReset, listening: "yes",
			address: func(t *testing.T) string { return "http://" + talk(t, false, func(net.Conn) {}) }},
		{name: "reset before an answer", want: provider.ConnectionReset, listening: "yes",
			address: func(t *testing.T) string {
				return "http://" + talk(t, true, func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) })
			}},
		{name: "closed in the headers", want: provider.ConnectionReset, listening: "yes",
			address: func(t *testing.T) string { return say(t, "HTTP/1.1 200 OK\r\nServer: x\r\n") }},
		{name: "closed in the TLS handshake", want: provider.ConnectionReset, listening: "yes",
			address: func(t *testing.T) string { return "https://" + talk(t, false, func(net.Conn) {}) }},
		{name: "body truncated", want: provider.BadResponse, listening: "yes", detail: "ended early, after 1 bytes",
			address: func(t *testing.T) string { return say(t, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{") }},
		{name: "broken chunking", want: provider.BadResponse, listening: "yes", detail: "ended early",
			address: func(t *testing.T) string {
				return say(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n")
			}},
		{name: "broken headers", want: provider.BadResponse, listening: "yes", detail: "broken",
			address: func(t *testing.T) string { return say(t, "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n") }},
		{name: "headers too large", want: provider.BadResponse, listening: "yes", detail: "larger than 64 KiB",
			address: func(t *testing.T) string {
				return say(t, "HTTP/1.1 200 OK\r\nX-A: "+strings.Repeat("a", 10<<20)+"\r\n\r\n")
			}},
		{name: "not HTTP", want: provider.WrongService, listening: "yes", detail: "-ERR unknown command",
			address: func(t *testing.T) string { return say(t, "-ERR unknown command\r\n") }},
		{name: "not HTTP, and speaks first", want: provider.WrongService, listening: "yes", detail: "SSH-2.0-OpenSSH",
			address: func(t *testing.T) string {
				return "http://" + talk(t, false, func(c net.Conn) {
					_, _ = io.WriteString(c, "SSH-2.0-OpenSSH_10.0\r\n")
					_, _ = io.Copy(io.Discard, c)
				})
			}},
		{name: "plain HTTP on a TLS port", want: provider.TLSFailure, listening: "yes", detail: "should begin with https://",
			address: func(t *testing.T) string { return say(t, "\x15\x03\x01\x00\x02\x02\x16") }},
		{name: "plain HTTP on a TLS port that closes", want: provider.TLSFailure, listening: "yes", detail: "should begin with https://",
			address: func(t *testing.T) string { return "http://" + tlsOrNothing(t, false) }},
		{name: "plain HTTP on a TLS port that resets", want: provider.TLSFailure, listening: "yes", detail: "should begin with https://",
			address: func(t *testing.T) string { return "http://" + tlsOrNothing(t, true) }},
		{name: "a socket of another sort", want: provider.WrongService, listening: "no", address: local, options: dialFails(syscall.EPROTOTYPE)},
		{name: "no such directory", want: provider.ConnectionRefused, listening: "no", address: local, options: dialFails(syscall.ENOTDIR)},
		{name: "TLS on a plain HTTP port", want: provider.TLSFailure, listening: "yes", detail: "should begin with http://",
			address: func(t *testing.T) string {
				s := serve(t, func(http.ResponseWriter, *http.Request) {})
				return strings.Replace(s.url, "http://", "https://", 1)
			}},
		{name: "TLS to something else", want: provider.TLSFailure, listening: "yes", detail: "does not speak TLS",
			address: func(t *testing.T) string {
				return "https://" + talk(t, false, func(c net.Conn) { _, _ = io.WriteString(c, "220 smtp.example ready\r\n") })
			}},
	}
	for _, tt := range tests {
		for _, first := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/dial first %t", tt.name, first), func(t *testing.T) {
				t.Parallel()
				p := configured(t, "ollama", tt.address(t), "")
				o := once(t, p, tt.options, probe.Ask{DialFirst: first, Facts: true})
				if o.Saw != tt.want || !strings.Contains(o.Detail, tt.detail) {
					t.Errorf("saw %s %q, want %s %q", o.Saw, o.Detail, tt.want, tt.detail)
				}
				if got := truth(o.PortListening); got != tt.listening {
					t.Errorf("port listening: %s, want %s", got, tt.listening)
				}
				if truth(o.APIResponding) == "yes" {
					t.Error("api responding, though nothing answered")
				}
				if o.HostFault != tt.hostFault {
					t.Errorf("host fault %t, want %t", o.HostFault, tt.hostFault)
				}
			})
		}
	}
}

func named(*testing.T) string { return "http://gpu.example:11434" }
func local(*testing.T) string { return "http://127.0.0.1:11434" }

func dialFails(errno syscall.Errno) probe.Options {
	return probe.Options{Dial: func(_ context.Context, network, address string) (net.Conn, error) {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return nil, err
		}
		return nil, &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(a), Err: errno}
	}}
}

func TestProbe_Cancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	address := talk(t, true, func(c net.Conn) {
		cancel()
		_, _ = io.Copy(io.Discard, c)
	})
	o := newProber(t, configured(t, "ollama", "http://"+address, ""), probe.Options{}).Probe(ctx, probe.Ask{})
	if o.Saw != "" || !strings.Contains(o.Detail, "aborted") {
		t.Errorf("saw %q %q, want nothing to judge", o.Saw, o.Detail)
	}
}

func TestProbe_UnixSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "llama.sock")
	p := configured(t, "llamacpp", "unix://"+path, "")
	pr := newProber(t, p, probe.Options{})
	if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.ConnectionRefused {
		t.Errorf("absent: saw %s %q", o.Saw, o.Detail)
	}
	below := configured(t, "llamacpp", "unix://"+filepath.Join(path, "below"), "")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if o := once(t, below, probe.Options{}, probe.Ask{}); o.Saw != provider.ConnectionRefused {
		t.Errorf("below a file: saw %s %q", o.Saw, o.Detail)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	answer := page{headers: map[string]string{"Server": "llama.cpp"}, body: own(t, "llamacpp").Body}
	srv := &http.Server{Handler: http.HandlerFunc(answer.ServeHTTP)}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	t.Cleanup(func() { srv.Close(); <-served })
	if o := pr.Probe(t.Context(), probe.Ask{DialFirst: true}); o.Saw != provider.OK {
		t.Errorf("there: saw %s %q", o.Saw, o.Detail)
	}
}

func TestProbe_Localhost(t *testing.T) {
	t.Parallel()
	s := serve(t, jsonPage(`{"version":"1"}`).ServeHTTP) // binds 127.0.0.1 alone
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	dialled := make(chan string, 10)
	o := probe.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled <- address
		if strings.HasPrefix(address, "[::1]") {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	pr := newProber(t, configured(t, "ollama", "http://localhost:"+u.Port(), ""), o)
	for range 2 {
		got := pr.Probe(t.Context(), probe.Ask{DialFirst: true})
		if got.Saw != provider.OK || got.Endpoint != s.url {
			t.Fatalf("saw %s %q at %q, want it at %q", got.Saw, got.Detail, got.Endpoint, s.url)
		}
	}
	close(dialled)
	var order []string
	for a := range dialled {
		order = append(order, a)
	}
	want := []string{"[::1]:" + u.Port(), "127.0.0.1:" + u.Port(), "127.0.0.1:" + u.Port()}
	if strings.Join(order, " ") != strings.Join(want, " ") {
		t.Errorf("dialled %v, want %v: the address that worked is remembered", order, want)
	}
}

func TestProbe_DialFirst(t *testing.T) {
	t.Parallel()
	count := func(o probe.Options) (probe.Options, *[]string) {
		var dialled []string
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled = append(dialled, address)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
		return o, &dialled
	}
	t.Run("refused costs one connect", func(t *testing.T) {
		o, dialled := count(probe.Options{})
		got := once(t, configured(t, "ollama", "http://"+unused(t), ""), o, probe.Ask{DialFirst: true, Facts: true})
		if got.Saw != provider.ConnectionRefused || len(*dialled) != 1 || len(got.Evidence.Requests) != 0 {
			t.Errorf("saw %s after dialling %v", got.Saw, *dialled)
		}
	})
	t.Run("accepted is used", func(t *testing.T) {
		s := serve(t, jsonPage(`{"version":"1"}`).ServeHTTP)
		o, dialled := count(probe.Options{})
		got := once(t, configured(t, "ollama", s.url, ""), o, probe.Ask{DialFirst: true})
		if got.Saw != provider.OK || len(*dialled) != 1 {
			t.Errorf("saw %s after dialling %v", got.Saw, *dialled)
		}
	})
}

// A bare connect sends nothing, and tells only that nobody is there. That is the same
// evidence as a probe's first connect gives.
func TestProbe_BareConnect(t *testing.T) {
	t.Parallel()
	s := serve(t, jsonPage(`{"version":"1"}`).ServeHTTP)
	gone := "http://" + unused(t)
	for _, tt := range []struct {
		name, kind, base string
		ask              probe.Ask
		saw              provider.Reason
		bare             bool
	}{
		{"Accepted", "ollama", s.url, probe.Ask{Bare: true}, "", false},
		{"AcceptedByAnything", "tcp", strings.Replace(s.url, "http", "tcp", 1), probe.Ask{Bare: true, Facts: true}, "", false},
		{"Refused", "ollama", gone, probe.Ask{Bare: true}, provider.ConnectionRefused, true},
		{"RefusedAtLocalhost", "ollama", strings.Replace(gone, "127.0.0.1", "localhost", 1), probe.Ask{Bare: true, DialFirst: true}, provider.ConnectionRefused, true},
		{"NoSuchConnect", "dns", strings.Replace(gone, "http", "dns", 1) + "/example.org", probe.Ask{Bare: true}, "", false},
		{"AProbesFirst", "ollama", gone, probe.Ask{DialFirst: true}, provider.ConnectionRefused, true},
		{"AProbe", "ollama", gone, probe.Ask{}, provider.ConnectionRefused, false},
		{"AcceptedAndAsked", "ollama", s.url, probe.Ask{DialFirst: true}, provider.OK, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := once(t, configured(t, tt.kind, tt.base, ""), probe.Options{}, tt.ask)
			if o.Saw != tt.saw || o.Bare != tt.bare || tt.ask.Bare && len(o.Evidence.Requests) > 0 {
				t.Errorf("saw %q, bare %t, after %d requests: %s", o.Saw, o.Bare, len(o.Evidence.Requests), o.Detail)
			}
		})
	}
	t.Run("KeepsTheConnection", func(t *testing.T) {
		pr := newProber(t, configured(t, "ollama", s.url, ""), probe.Options{})
		pr.Probe(t.Context(), probe.Ask{})
		pr.Probe(t.Context(), probe.Ask{Bare: true})
		if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.OK || !o.Evidence.Requests[0].Reused {
			t.Errorf("saw %s: %+v", o.Saw, o.Evidence.Requests)
		}
	})
}

// TestProbe_KeptConnection: what happens to the connection between two probes is
// not the second one's finding.
func TestProbe_KeptConnection(t *testing.T) {
	t.Parallel()
	t.Run("is used again", func(t *testing.T) {
		t.Parallel()
		s := serve(t, jsonPage(`{"version":"1"}`).ServeHTTP)
		pr := newProber(t, configured(t, "ollama", s.url, ""), probe.Options{})
		pr.Probe(t.Context(), probe.Ask{})
		o := pr.Probe(t.Context(), probe.Ask{})
		if o.Saw != provider.OK || !o.Evidence.Requests[0].Reused || len(o.Evidence.Dial) != 0 {
			t.Errorf("saw %s: %+v %+v", o.Saw, o.Evidence.Requests, o.Evidence.Dial)
		}
		if truth(o.PortListening) != "yes" {
			t.Error("port not listening")
		}
	})
	t.Run("to a server that is gone", func(t *testing.T) {
		t.Parallel()
		ts := httptest.NewServer(http.HandlerFunc(jsonPage(`{"version":"1"}`).ServeHTTP))
		defer ts.Close()
		there, nobody := ts.Listener.Addr().String(), unused(t) // its port may be another's once it is gone
		pr := newProber(t, configured(t, "ollama", ts.URL, ""), probe.Options{
			Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, there)
			},
		})
		pr.Probe(t.Context(), probe.Ask{})
		ts.Close()
		there = nobody
		if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.ConnectionRefused || truth(o.PortListening) != "no" {
			t.Errorf("saw %s %q, listening %s", o.Saw, o.Detail, truth(o.PortListening))
		}
	})
	t.Run("closed by a restart is replaced", func(t *testing.T) {
		t.Parallel()
		address := talk(t, true, func(c net.Conn) { // answers once and closes, as a restart does
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"version\":\"1\"}")
		})
		pr := newProber(t, configured(t, "ollama", "http://"+address, ""), probe.Options{})
		for i := range 20 {
			if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.OK {
				t.Fatalf("probe %d: saw %s %q", i, o.Saw, o.Detail)
			}
		}
	})
}

func TestProbe_Proxy(t *testing.T) {
	t.Parallel()
	through := func(proxy string) probe.Options {
		return probe.Options{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }}
	}
	cloud := func(base string) config.Provider { return configured(t, "openai", base, "") }
	t.Run("leads to the provider", func(t *testing.T) {
		proxy := serve(t, jsonPage(own(t, "openai").Body).ServeHTTP)
		o := once(t, cloud("http://api.example/v1"), through(proxy.url), probe.Ask{})
		if o.Saw != provider.OK || o.PortListening != nil {
			t.Errorf("saw %s %q, listening %s", o.Saw, o.Detail, truth(o.PortListening))
		}
	})
	t.Run("is not used on this machine", func(t *testing.T) {
		s := serve(t, jsonPage(own(t, "openai").Body).ServeHTTP)
		o := once(t, cloud(s.url), through("http://"+unused(t)), probe.Ask{})
		if o.Saw != provider.OK {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
	})
}

func TestNew_Rejects(t *testing.T) {
	t.Parallel()
	p := configured(t, "http", "http://127.0.0.1:1", "")
	p.Expect.Body = "("
	var setting *config.SettingError
	if _, err := probe.New(&p, probe.Options{}); !errors.As(err, &setting) || setting.Setting != "expect_body" {
		t.Errorf("bad regexp: %v", err)
	}
	p = configured(t, "openai", "http://127.0.0.1:1", "two\nlines")
	if _, err := probe.New(&p, probe.Options{}); err == nil || strings.Contains(err.Error(), "lines") {
		t.Errorf("a key of two lines: %v", err)
	}
	p.Kind = "nonsense"
	if _, err := probe.New(&p, probe.Options{}); err == nil {
		t.Error("an unknown kind was accepted")
	}
}
