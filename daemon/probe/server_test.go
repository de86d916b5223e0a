package probe_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/listener"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

const strangersKey = "test-key-for-whom-it-concerns"

// aList is the answer of an OpenAI-compatible server.
const aList = `{"object":"list","data":[{"id":"m","object":"model"}]}`

// keyed answers 401 without a key.
func keyed(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") == "" {
		http.Error(w, `{"error":{"message":"a key is needed"}}`, http.StatusUnauthorized)
		return
	}
	jsonPage(aList).ServeHTTP(w, r)
}

func unkeyed(w http.ResponseWriter, r *http.Request) { jsonPage(aList).ServeHTTP(w, r) }

// fallenBackTo is a provider whose address is not in the configuration file.
func fallenBackTo(t *testing.T, base string) config.Provider {
	p := configured(t, "openai-compatible", base, strangersKey)
	p.BaseURLGiven = false
	return p
}

// keysIn are the requests that carried the key.
func (s *server) keysIn() (with, without int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.seen {
		if strings.Contains(fmt.Sprint(r.Header), strangersKey) {
			with++
		} else {
			without++
		}
	}
	return with, without
}

// TestProbe_KeyOnlyToWhomItBelongs: which listener gets the key, and what is reported if it
// does not. Each answer of the kernel is played before and after the connect.
func TestProbe_KeyOnlyToWhomItBelongs(t *testing.T) {
	t.Parallel()
	self := uint32(os.Geteuid())
	stranger := self + 12345
	type answers struct {
		before, after listener.Socket
		err           error
	}
	same := func(uid uint32) answers {
		return answers{listener.Socket{UID: uid, Inode: 7}, listener.Socket{UID: uid, Inode: 7}, nil}
	}
	for _, tt := range []struct {
		name  string
		said  answers
		given bool // base_url is in the file
		why   string
	}{
		{name: "the daemon's own user", said: same(self)},
		{name: "root", said: same(0)},
		{name: "another user", said: same(stranger), why: fmt.Sprintf("uid %d listens there", stranger)},
		{name: "another user, whom the file trusts", said: same(stranger), given: true},
		{name: "nobody who is known", said: answers{err: listener.ErrNone}, why: "no socket of this machine was found there"},
		{name: "a socket without a process", said: answers{err: listener.ErrOwnerless}, why: "no process holds the socket"},
		{name: "a system that does not say", said: answers{err: listener.ErrUnsupported}, why: "this system does not say who listens there"},
		{name: "a system that does not tell, and a file that does", said: answers{err: listener.ErrUnsupported}, given: true},
		{name: "a kernel that refuses", said: answers{err: errors.New("operation not permitted")}, why: "could not find out who listens there: operation not permitted"},
		{
			name: "one who took the place of another while we connected",
			said: answers{listener.Socket{UID: stranger, Inode: 6}, listener.Socket{UID: self, Inode: 7}, nil},
			why:  "the listener there has just changed",
		},
		{
			name: "another socket of the same user",
			said: answers{listener.Socket{UID: self, Inode: 6}, listener.Socket{UID: self, Inode: 7}, nil},
			why:  "the listener there has just changed",
		},
	} {
		for _, wants := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/WantsKey=%t", tt.name, wants), func(t *testing.T) {
				t.Parallel()
				h := unkeyed
				if wants {
					h = keyed
				}
				s := serve(t, h)
				p := fallenBackTo(t, s.url)
				p.BaseURLGiven = tt.given
				asked := 0
				o := probe.Options{Listener: func(netip.AddrPort) (listener.Socket, error) {
					asked++
					if tt.said.err != nil {
						return listener.Socket{}, tt.said.err
					}
					if asked%2 == 1 {
						return tt.said.before, nil
					}
					return tt.said.after, nil
				}}
				pr := newProber(t, p, o)
				for range 3 {
					got := pr.Probe(t.Context(), probe.Ask{Facts: true})
					checkWithheld(t, got, tt.why, wants)
				}
				if with, without := s.keysIn(); tt.why != "" && with > 0 || tt.why == "" && without > 0 {
					t.Errorf("%d requests with the key, %d without it", with, without)
				}
			})
		}
	}
}

// checkWithheld checks what is reported about a key that was withheld for a reason; an
// empty reason means that it was sent.
func checkWithheld(t *testing.T, got probe.Observation, why string, wants bool) {
	t.Helper()
	saw, detail := provider.OK, ""
	if why != "" && wants {
		saw = provider.KeyWithheld
	}
	if why != "" {
		detail = "the key was not sent to 127.0.0.1:"
	}
	if got.Saw != saw || got.KeyWithheld != (why != "") || !strings.HasPrefix(got.Detail, detail) || !strings.Contains(got.Detail, why) {
		t.Errorf("saw %s %q, withheld %t; want %s, %q", got.Saw, got.Detail, got.KeyWithheld, saw, why)
	}
	if l := got.Evidence.Listener; why != "" && (l == nil || !strings.HasPrefix(l.KeyWithheld, why)) {
		t.Errorf("the evidence says %+v, want %q", l, why)
	}
}

// TestProbe_KeyOnThatConnectionAndNoOther: the listener is checked again for every
// connection, within one probe too. The server closes each after its answer.
func TestProbe_KeyOnThatConnectionAndNoOther(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			if r.URL.Path == "/models" {
				http.Redirect(w, r, "/elsewhere", http.StatusFound)
				return
			}
			unkeyed(w, r)
		},
		"next probe": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			unkeyed(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, h)
			asked := 0
			o := probe.Options{Listener: func(netip.AddrPort) (listener.Socket, error) {
				if asked++; asked <= 2 {
					return listener.Socket{UID: uint32(os.Geteuid()), Inode: 7}, nil
				}
				return listener.Socket{UID: uint32(os.Geteuid()) + 1, Inode: 8}, nil
			}}
			pr := newProber(t, fallenBackTo(t, s.url), o)
			for range 3 {
				pr.Probe(t.Context(), probe.Ask{})
			}
			if with, without := s.keysIn(); with != 1 || without < 2 {
				t.Errorf("%d requests with the key and %d without it, want 1 and the rest", with, without)
			}
		})
	}
}

// TestProbe_KeyOfEveryKind: however a kind sends its key, a stranger does not get it, and
// neither does a proxy that is not in the file.
func TestProbe_KeyOfEveryKind(t *testing.T) {
	t.Parallel()
	for _, k := range probe.Kinds() {
		if k.Schemes != nil && !slices.Contains(k.Schemes, "http") || k.Address != nil {
			continue // sends no key
		}
		s := serve(t, keyed)
		stranger := probe.Options{Listener: func(netip.AddrPort) (listener.Socket, error) {
			return listener.Socket{UID: uint32(os.Geteuid()) + 1, Inode: 8}, nil
		}}
		proxied := probe.Options{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(s.url) }}
		for name, tt := range map[string]struct {
			base string
			with probe.Options
		}{
			"stranger": {s.url, stranger},
			"proxy":    {"http://api.example/v1", proxied},
		} {
			if name == "proxy" && k.Type == provider.Local {
				continue // is never reached through one
			}
			t.Run(k.Name+"/"+name, func(t *testing.T) {
				p := configured(t, k.Name, tt.base, strangersKey)
				p.BaseURLGiven = false
				o := once(t, p, tt.with, probe.Ask{Facts: true})
				if with, without := s.keysIn(); with > 0 || without == 0 {
					t.Errorf("%d requests with the key, %d without it", with, without)
				}
				if !o.KeyWithheld {
					t.Errorf("saw %s %q, which does not say that the key was withheld", o.Saw, o.Detail)
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				for _, r := range s.seen {
					for header, values := range r.Header {
						if values[0] == "" {
							t.Errorf("an empty %s is sent", header)
						}
					}
				}
			})
		}
	}
}

// TestProbe_AStrangerWithoutADoorIsNotTheVendor: a vendor's API wants a key. A server that
// answers in its place without one is not up, or pick would send people there.
func TestProbe_AStrangerWithoutADoorIsNotTheVendor(t *testing.T) {
	t.Parallel()
	s := serve(t, unkeyed)
	p := configured(t, "openai", s.url, strangersKey)
	p.BaseURLGiven = false
	o := probe.Options{Listener: func(netip.AddrPort) (listener.Socket, error) {
		return listener.Socket{UID: uint32(os.Geteuid()) + 1, Inode: 8}, nil
	}}
	if got := once(t, p, o, probe.Ask{}); got.Saw != provider.KeyWithheld || !strings.Contains(got.Detail, "listens there") {
		t.Errorf("saw %s %q", got.Saw, got.Detail)
	}
}

// TestProbe_NoProxyOnThisMachine: every name of this machine is reached directly.
func TestProbe_NoProxyOnThisMachine(t *testing.T) {
	t.Parallel()
	s := serve(t, keyed)
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := serve(t, unkeyed)
	var asked []string
	o := probe.Options{
		Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(proxy.url) },
		Listener: func(at netip.AddrPort) (listener.Socket, error) {
			asked = append(asked, at.Addr().String())
			return listener.Socket{UID: uint32(os.Geteuid()), Inode: 7}, nil
		},
	}
	for _, host := range []string{"127.0.0.1", "localhost", "localhost.", "api.localhost", "0.0.0.0", "[::ffff:0.0.0.0]"} {
		asked = nil
		p := configured(t, "openai", "http://"+host+":"+u.Port(), strangersKey)
		p.BaseURLGiven = false
		if got := once(t, p, o, probe.Ask{}); got.Saw != provider.OK || got.KeyWithheld {
			t.Errorf("%s: saw %s %q", host, got.Saw, got.Detail)
		}
		if !slices.Contains(asked, "127.0.0.1") || slices.Contains(asked, "0.0.0.0") {
			t.Errorf("%s: asked who listens at %q, and not where it points", host, asked)
		}
	}
	if with, without := proxy.keysIn(); with+without > 0 {
		t.Errorf("the proxy was asked %d times", with+without)
	}
}

// TestProbe_KeyAfterTheStrangerLeft: the key is sent as soon as a trusted server listens.
func TestProbe_KeyAfterTheStrangerLeft(t *testing.T) {
	t.Parallel()
	s := serve(t, keyed)
	who := listener.Socket{UID: uint32(os.Geteuid()) + 1, Inode: 8}
	pr := newProber(t, fallenBackTo(t, s.url), probe.Options{Listener: func(netip.AddrPort) (listener.Socket, error) { return who, nil }})
	if got := pr.Probe(t.Context(), probe.Ask{}); got.Saw != provider.KeyWithheld {
		t.Errorf("saw %s %q", got.Saw, got.Detail)
	}
	who = listener.Socket{UID: uint32(os.Geteuid()), Inode: 9}
	if got := pr.Probe(t.Context(), probe.Ask{}); got.Saw != provider.OK || got.KeyWithheld {
		t.Errorf("then saw %s %q", got.Saw, got.Detail)
	}
}

// TestProbe_KeyOverTLS: a certificate proves who answers, whatever the listener's user.
func TestProbe_KeyOverTLS(t *testing.T) {
	t.Parallel()
	ts := httptest.NewTLSServer(http.HandlerFunc(keyed))
	t.Cleanup(ts.Close)
	o := probe.Options{RootCAs: trusting(ts), Listener: func(netip.AddrPort) (listener.Socket, error) {
		return listener.Socket{UID: uint32(os.Geteuid()) + 1, Inode: 8}, nil
	}}
	if got := once(t, fallenBackTo(t, ts.URL), o, probe.Ask{}); got.Saw != provider.OK || got.KeyWithheld {
		t.Errorf("saw %s %q", got.Saw, got.Detail)
	}
}

// TestProbe_PasswordsAreKeysToo: a password in a variable's address goes only where a key
// may.
func TestProbe_PasswordsAreKeysToo(t *testing.T) {
	t.Parallel()
	s := serve(t, unkeyed)
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("ada", strangersKey)
	p := fallenBackTo(t, u.String())
	p.Key, p.Endpoint = config.Secret{}, s.url
	once(t, p, probe.Options{Listener: func(netip.AddrPort) (listener.Socket, error) {
		return listener.Socket{UID: uint32(os.Geteuid()) + 1, Inode: 8}, nil
	}}, probe.Ask{})
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.seen {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("a stranger was sent %q", r.Header.Get("Authorization"))
		}
	}
}

// TestProbe_TheProcess: the row has the process of a server on this machine, and shows if
// it is gone.
func TestProbe_TheProcess(t *testing.T) {
	t.Parallel()
	if _, err := listener.At(netip.MustParseAddrPort("127.0.0.1:1")); errors.Is(err, listener.ErrUnsupported) {
		t.Skip("this system does not tell who listens")
	}
	ts := httptest.NewServer(http.HandlerFunc(unkeyed))
	p := configured(t, "openai-compatible", ts.URL, "")
	pr := newProber(t, p, probe.Options{Processes: new(listener.Processes)})
	got := pr.Probe(t.Context(), probe.Ask{})
	if got.PID != os.Getpid() || got.PIDExists == nil || !*got.PIDExists {
		t.Errorf("served by %d (%s), want %d", got.PID, truth(got.PIDExists), os.Getpid())
	}
	if l := got.Evidence.Listener; l == nil || l.PID != os.Getpid() || l.UID == nil || *l.UID != uint32(os.Geteuid()) {
		t.Errorf("the evidence says %+v", l)
	}
	if got = pr.Probe(t.Context(), probe.Ask{}); got.PID != os.Getpid() {
		t.Errorf("over the kept connection served by %d", got.PID)
	}
	ts.Close()
	// The process that served it is this one, which still runs.
	if got = pr.Probe(t.Context(), probe.Ask{}); got.PID != os.Getpid() || got.Evidence.Listener != nil {
		t.Errorf("after the server ended: %d, %+v", got.PID, got.Evidence.Listener)
	}
}

// TestProbe_ProcessBehindAProxy: the proxy is not the provider.
func TestProbe_ProcessBehindAProxy(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, aList) })
	o := probe.Options{Processes: new(listener.Processes), Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(s.url) }}
	if got := once(t, configured(t, "openai", "http://api.example/v1", ""), o, probe.Ask{}); got.PID != 0 || got.Evidence.Listener != nil {
		t.Errorf("the proxy's process %d is the provider's: %+v", got.PID, got.Evidence.Listener)
	}
}
