package probe_test

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/listener"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// loopbackOf is this machine as a dialer sees it: it maps each address to the real one of
// the server there. Nothing else listens.
type loopbackOf struct {
	at map[string]string

	mu     sync.Mutex
	dialed []string
}

func (l *loopbackOf) dial(ctx context.Context, network, address string) (net.Conn, error) {
	l.mu.Lock()
	l.dialed = append(l.dialed, address)
	l.mu.Unlock()
	switch real := l.at[address]; {
	case real == "no IPv6" || real == "" && l.at["[::1]"] == "no IPv6" && strings.HasPrefix(address, "["):
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)}
	case real == "":
		to := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))
		return nil, &net.OpError{Op: "dial", Net: network, Addr: to, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	default:
		return (&net.Dialer{}).DialContext(ctx, network, real)
	}
}

// take returns what was dialled since the last time.
func (l *loopbackOf) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.dialed
	l.dialed = nil
	return was
}

// ollamaAt serves as Ollama does.
func ollamaAt(t *testing.T) (address string) {
	t.Helper()
	return listening(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"version":"0.12.3"}`)) })
}

func listening(t *testing.T, serve http.HandlerFunc) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: serve, ErrorLog: discard()}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

// closing accepts, reads, and closes with a reset.
func closing(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(attend(l, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_ = c.(*net.TCPConn).SetLinger(0)
	}))
	return l.Addr().String()
}

// A server that listens only at ::1 is found at its default port, and a missing one costs
// one more connect. A configured address is taken literally.
func TestProbe_DefaultAddressIsOnBothLoopbacks(t *testing.T) {
	const v4, v6 = "127.0.0.1:11434", "[::1]:11434"
	up := ollamaAt(t)
	for _, tt := range []struct {
		name     string
		at       map[string]string
		given    bool
		saw      provider.Reason
		endpoint string
		dialled  []string
		then     []string // by the next probe, on a new connection
	}{
		{"Version4", map[string]string{v4: up}, false, provider.OK, "", []string{v4}, []string{v4}},
		{"Both", map[string]string{v4: up, v6: up}, false, provider.OK, "", []string{v4}, []string{v4}},
		{"Version6", map[string]string{v6: up}, false, provider.OK, "http://" + v6, []string{v4, v6}, []string{v4, v6}},
		{"Neither", nil, false, provider.ConnectionRefused, "", []string{v4, v6}, []string{v4, v6}},
		{"NoIPv6", map[string]string{"[::1]": "no IPv6"}, false, provider.ConnectionRefused, "", []string{v4, v6}, []string{v4, v6}},
		{"Given", map[string]string{v6: up}, true, provider.ConnectionRefused, "", []string{v4}, []string{v4}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			here := &loopbackOf{at: tt.at}
			p := configured(t, "ollama", "http://"+v4, "")
			p.BaseURLGiven = tt.given
			pr := newProber(t, p, probe.Options{Dial: here.dial})
			o := pr.Probe(t.Context(), probe.Ask{DialFirst: true})
			if o.Saw != tt.saw || o.Endpoint != tt.endpoint || o.Saw == provider.ConnectionRefused && o.Detail != v4+": connection refused" {
				t.Errorf("%s %q at %q", o.Saw, o.Detail, o.Endpoint)
			}
			if diff := cmp.Diff(tt.dialled, here.take()); diff != "" {
				t.Error(diff)
			}
			pr.Probe(t.Context(), probe.Ask{Fresh: true})
			if diff := cmp.Diff(tt.then, here.take()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A server at 127.0.0.1 is probed again as soon as it is there, whatever answers at ::1
// until then; and so is ::1 once nothing listens at 127.0.0.1 any more.
func TestProbe_Version6OnlyStandsIn(t *testing.T) {
	const v4, v6 = "127.0.0.1:11434", "[::1]:11434"
	up, closes := ollamaAt(t), closing(t)
	here := &loopbackOf{at: map[string]string{v6: up}}
	p := configured(t, "ollama", "http://"+v4, "")
	p.BaseURLGiven = false
	pr := newProber(t, p, probe.Options{Dial: here.dial})
	for i, step := range []struct{ v4, endpoint string }{
		{"", "http://" + v6}, {up, ""}, {"", "http://" + v6}, {closes, "http://" + v6}, {closes, "http://" + v6}, {up, "http://" + v6},
	} {
		if delete(here.at, v4); step.v4 != "" {
			here.at[v4] = step.v4
		}
		if step.v4 == "" {
			pr.Part() // as the server did that went
		}
		if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.OK || o.Endpoint != step.endpoint {
			t.Errorf("step %d: %s at %q", i, o.Saw, o.Endpoint)
		}
	}
}

// The key goes to the trusted listener at either address.
func TestProbe_KeyAtTheOtherLoopback(t *testing.T) {
	const v4, v6 = "127.0.0.1:1234", "[::1]:1234"
	for _, uid := range []uint32{uint32(os.Geteuid()), 4321} {
		var got string
		up := listening(t, func(w http.ResponseWriter, r *http.Request) {
			got = r.Header.Get("Authorization")
			_, _ = w.Write([]byte(`{"models":[{"key":"m"}]}`))
		})
		here := &loopbackOf{at: map[string]string{v6: up}}
		p := configured(t, "lmstudio", "http://"+v4, "test-key-of-nobody")
		p.BaseURLGiven = false
		pr := newProber(t, p, probe.Options{Dial: here.dial, Listener: func(at netip.AddrPort) (listener.Socket, error) {
			if at.String() != v6 {
				return listener.Socket{}, listener.ErrNone
			}
			return listener.Socket{UID: uid, Inode: 7}, nil
		}})
		o := pr.Probe(t.Context(), probe.Ask{})
		ours := uid == uint32(os.Geteuid())
		if o.Saw != provider.OK || (got != "") != ours || o.KeyWithheld == ours {
			t.Errorf("uid %d: %s, sent %q, withheld %v", uid, o.Saw, got, o.KeyWithheld)
		}
	}
}

// If one address of localhost closes the connection, the other is tried, and both are named
// if that is no better. After a reset each is tried twice, the second time to find out
// whether it speaks HTTP/2.
func TestProbe_TheOtherLoopbackWhereOneCloses(t *testing.T) {
	const v4, v6 = "127.0.0.1:8000", "[::1]:8000"
	up, closes := ollamaAt(t), closing(t)
	for _, tt := range []struct {
		name   string
		at     map[string]string
		base   string
		saw    provider.Reason
		says   string
		atMost int
	}{
		{"Works", map[string]string{v6: closes, v4: up}, "http://localhost:8000", provider.OK, "", 3},
		{"Closes", map[string]string{v6: closes, v4: closes}, "http://localhost:8000", provider.ConnectionReset, "at both " + v6 + " and " + v4 + ": the connection was closed", 4},
		{"Refuses", map[string]string{v6: closes}, "http://localhost:8000", provider.ConnectionReset, "nothing listens at " + v4 + "; at " + v6 + ": the connection was closed", 5},
		{"Version4Alone", map[string]string{v4: closes}, "http://localhost:8000", provider.ConnectionReset, "nothing listens at " + v6 + "; at " + v4 + ": the connection was closed", 6},
		{"NoOther", map[string]string{v4: closes, v6: up}, "http://" + v4, provider.ConnectionReset, "", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			here := &loopbackOf{at: tt.at}
			pr := newProber(t, configured(t, "ollama", tt.base, ""), probe.Options{Dial: here.dial})
			for i := range 3 {
				o := pr.Probe(t.Context(), probe.Ask{Fresh: true})
				if o.Saw != tt.saw || !strings.Contains(o.Detail, tt.says) && i == 0 {
					t.Errorf("probe %d: %s %q", i, o.Saw, o.Detail)
				}
				if dialled := here.take(); len(dialled) > tt.atMost+i%2 {
					t.Errorf("probe %d: %q", i, dialled)
				}
			}
		})
	}
}

// A server that listens only at ::1 is discovered there; if both answer, at 127.0.0.1.
func TestDiscover_Version6(t *testing.T) {
	const v4, v6 = "127.0.0.1:11434", "[::1]:11434"
	for _, tt := range []struct {
		at   []string
		want string
	}{
		{[]string{v6}, "http://" + v6},
		{[]string{v6, v4}, "http://" + v4},
	} {
		found, _ := discoverAt(t, find(t, "ollama", "healthy"), tt.at...)
		if len(found) != 1 || found[0].Kind != "ollama" || found[0].BaseURL != tt.want {
			t.Errorf("found %+v, want %s", found, tt.want)
		}
	}
}
