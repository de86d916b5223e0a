package probe_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A turnstile lets one connection at a time through to a server, as Python's http.server
// does, or HAProxy with maxconn 1: the next one waits in the kernel until it has ended.
type turnstile struct {
	net.Listener
	mu   sync.Mutex
	seen int      // connections that were let in
	in   net.Conn // nil: nobody
}

func newTurnstile(t *testing.T, server string) *turnstile {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &turnstile{Listener: l}
	done := make(chan struct{})
	t.Cleanup(func() {
		l.Close()
		s.mu.Lock()
		if s.in != nil {
			s.in.Close()
		}
		s.mu.Unlock()
		<-done
	})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.serve(c, server)
		}
	}()
	return s
}

func (s *turnstile) serve(c net.Conn, server string) {
	s.mu.Lock()
	s.in = c
	s.seen++
	s.mu.Unlock()
	to, err := net.Dial("tcp", server)
	if err == nil {
		var both sync.WaitGroup
		both.Go(func() { io.Copy(to, c); to.Close() })
		both.Go(func() { io.Copy(c, to); c.Close() })
		both.Wait()
	}
	c.Close()
	s.mu.Lock()
	s.in = nil
	s.mu.Unlock()
}

func (s *turnstile) letIn() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// behindTurnstile is a healthy server of a kind that has a single place.
func behindTurnstile(t *testing.T, k config.Kind) (*turnstile, config.Provider, probe.Options) {
	t.Helper()
	s := healthyScenario(t, k)
	if s == nil || k.Name == "dns" {
		t.Skip("it is asked over no connection")
	}
	theatre, err := open(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(theatre.close)
	gate := newTurnstile(t, theatre.address)
	theatre.address = gate.Addr().String()
	p := &play{scenario: s, kind: k}
	p.configure(theatre)
	p.provider.Timeout = 5 * time.Second // of who does not get in
	return gate, p.provider, probe.Options{RootCAs: theatre.roots}
}

// TestProbe_LeavesTheOnlyPlace: another client gets in between our probes, except if the
// source of the kind's server shows that there is room for many.
func TestProbe_LeavesTheOnlyPlace(t *testing.T) {
	t.Parallel()
	for _, k := range probe.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			gate, p, o := behindTurnstile(t, k)
			ours := newProber(t, p, o)
			ask := func(pr *probe.Prober) {
				t.Helper()
				if seen := pr.Probe(t.Context(), probe.Ask{Facts: true}); seen.Saw != provider.OK {
					t.Fatalf("saw %s %q", seen.Saw, seen.Detail)
				}
			}
			ask(ours)
			before := gate.letIn()
			if probe.Many(k.Name) != "" {
				if ask(ours); gate.letIn() != before {
					t.Error("it closed its connection, which takes nobody's place")
				}
				ours.Part()
			}
			ask(newProber(t, p, o)) // there is no other way in
		})
	}
}

// Over a network the connection is kept for every kind.
func TestProbe_KeepsItsConnectionOverANetwork(t *testing.T) {
	t.Parallel()
	for _, k := range probe.Kinds() {
		if k.Type != provider.Local && k.Name != "http" {
			continue
		}
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			gate, p, o := behindTurnstile(t, k)
			u, err := url.Parse(p.BaseURL)
			if err != nil {
				t.Fatal(err)
			}
			u.Host = net.JoinHostPort("192.0.2.1", u.Port())
			p.BaseURL, p.Endpoint, p.BaseURLGiven = u.String(), u.String(), true
			o.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, gate.Addr().String())
			}
			pr := newProber(t, p, o)
			for range 3 {
				if seen := pr.Probe(t.Context(), probe.Ask{}); seen.Saw != provider.OK {
					t.Fatalf("saw %s %q", seen.Saw, seen.Detail)
				}
			}
			if n := gate.letIn(); n != 1 {
				t.Errorf("%d connections for three probes", n)
			}
		})
	}
}
