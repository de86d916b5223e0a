package probe_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// TestProbe_CancelledInEachPhase: whatever a probe waits for, it stops at once when it is
// cancelled: in a bubble, in no time at all.
func TestProbe_CancelledInEachPhase(t *testing.T) {
	t.Parallel()
	over := func(t *testing.T, heed bool, f func(net.Conn)) (string, probe.Options) {
		n := newNetwork(t, false)
		return talkOver(t, n, heed, f), probe.Options{Dial: n.dial}
	}
	after := func(text string) func(*testing.T, func()) (string, probe.Options) {
		return func(t *testing.T, cancel func()) (string, probe.Options) {
			address, o := over(t, true, func(c net.Conn) {
				_, _ = io.WriteString(c, text)
				cancel()
				mute(c)
			})
			return "http://" + address, o
		}
	}
	for name, begin := range map[string]func(*testing.T, func()) (string, probe.Options){
		"resolving": func(_ *testing.T, cancel func()) (string, probe.Options) {
			return "http://gpu.example", probe.Options{Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) {
				cancel()
				<-ctx.Done()
				return nil, ctx.Err()
			}}
		},
		"connecting": func(_ *testing.T, cancel func()) (string, probe.Options) {
			return "http://127.0.0.1:1", probe.Options{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				cancel()
				<-ctx.Done()
				return nil, ctx.Err()
			}}
		},
		"shaking hands": func(t *testing.T, cancel func()) (string, probe.Options) {
			address, o := over(t, false, func(c net.Conn) {
				_, _ = io.ReadFull(c, make([]byte, 1))
				cancel()
				mute(c)
			})
			return "https://" + address, o
		},
		"writing": func(t *testing.T, cancel func()) (string, probe.Options) {
			ours, theirs := net.Pipe() // nothing is written before it is read
			t.Cleanup(func() { theirs.Close() })
			return "http://127.0.0.1:1", probe.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
				go func() {
					_, _ = io.ReadFull(theirs, make([]byte, 1))
					cancel()
				}()
				return ours, nil
			}}
		},
		"before the answer":  after(""),
		"in the status line": after("HTTP/1."),
		"in the headers":     after("HTTP/1.1 200 OK\r\nContent-Le"),
		"in the body":        after("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"),
		"in a chunked body":  after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n{"),
		"in a zipped body":   after("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b"),
		"in interim answers": after("HTTP/1.1 100 Continue\r\n\r\n"),
		"on a kept connection": func(t *testing.T, cancel func()) (string, probe.Options) {
			address, o := over(t, false, conversation(func(_, i int) (string, bool) {
				if i > 0 {
					cancel()
					return "", false
				}
				return fine, false
			}))
			return "http://" + address, o
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				address, o := begin(t, cancel)
				pr := newProber(t, configured(t, "ollama", address, ""), o)
				got := pr.Probe(ctx, probe.Ask{})
				if got.Saw == provider.OK { // the next one waits on its connection
					got = pr.Probe(ctx, probe.Ask{})
				}
				if got.Saw != "" || !strings.Contains(got.Detail, "aborted") || got.Took != 0 {
					t.Errorf("saw %q %q after %s, want nothing to judge", got.Saw, got.Detail, got.Took)
				}
			})
		})
	}
}
