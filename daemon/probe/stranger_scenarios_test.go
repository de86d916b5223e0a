package probe_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/listener"
	"github.com/providerd/providerd/daemon/probe"
)

// A wiretap records what is written over the connections that it makes.
type wiretap struct {
	mu    sync.Mutex
	heard bytes.Buffer
}

func (w *wiretap) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return tapped{c, w}, nil
}

type tapped struct {
	net.Conn
	by *wiretap
}

func (c tapped) Write(b []byte) (int, error) {
	c.by.mu.Lock()
	c.by.heard.Write(b)
	c.by.mu.Unlock()
	return c.Conn.Write(b)
}

// Whatever a stranger answers, and whatever the probe asks for, no request of any kind
// carries the key: neither the deciding one nor any other.
func TestScenarios_NoKeyToAStranger(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios(t) {
		for _, k := range s.casts(t) {
			if s.Provider.Timeout != nil || !isWeb(k) || k.Address != nil {
				continue // it is about time, or of a kind that sends no key
			}
			t.Run(s.folder+"/"+s.name+"/"+k.Name, func(t *testing.T) {
				t.Parallel()
				playToAStranger(t, s, k)
			})
		}
	}
}

func playToAStranger(t *testing.T, s *scenario, k config.Kind) {
	theatre, err := openOver(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer theatre.close()
	if theatre.secure { // TLS proves who answers
		return
	}
	p := &play{scenario: s, kind: k}
	p.configure(theatre)
	p.provider.Key, p.provider.BaseURLGiven, p.provider.KeyMissing = config.NewSecret(strangersKey), false, ""
	tap := &wiretap{}
	pr := newProber(t, p.provider, probe.Options{
		RootCAs: theatre.roots, Dial: tap.dial,
		Proxy: func(*http.Request) (*url.URL, error) { return nil, nil },
		Listener: func(netip.AddrPort) (listener.Socket, error) {
			return listener.Socket{UID: uint32(os.Geteuid()) + 1, Inode: 8}, nil
		},
	})
	for _, ask := range []probe.Ask{{DialFirst: true}, {Facts: true, Fresh: true}} {
		pr.Probe(t.Context(), ask)
	}
	if sent := tap.heard.String(); strings.Contains(sent, strangersKey) {
		t.Errorf("it was sent:\n%s", sent)
	}
}
