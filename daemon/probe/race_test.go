package probe_test

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// TestProbe_Addresses: the first of a host's addresses to accept is used, and a dead one
// costs a quarter of a second.
func TestProbe_Addresses(t *testing.T) {
	const dead, refusing, alive = "2001:db8::1", "192.0.2.1", "192.0.2.2"
	tests := []struct {
		name      string
		addresses []string
		want      provider.Reason
		took      time.Duration
		dialled   int
	}{
		{"alive", []string{alive}, provider.OK, 0, 1},
		{"dead, alive", []string{dead, alive}, provider.OK, 250 * time.Millisecond, 2},
		{"refusing, alive", []string{refusing, alive}, provider.OK, 0, 2},
		{"dead, refusing, alive", []string{dead, refusing, alive}, provider.OK, 250 * time.Millisecond, 3},
		{"alive, dead", []string{alive, dead}, provider.OK, 0, 1},
		{"dead, refusing", []string{dead, refusing}, provider.ConnectionRefused, 2 * time.Second, 2},
		{"dead", []string{dead}, provider.ConnectTimeout, 2 * time.Second, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := probe.Options{
					Resolve: func(context.Context, string) (addrs []netip.Addr, _ error) {
						for _, a := range tt.addresses {
							addrs = append(addrs, netip.MustParseAddr(a))
						}
						return addrs, nil
					},
					Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
						host, _, _ := net.SplitHostPort(address)
						switch host {
						case dead:
							<-ctx.Done()
							return nil, ctx.Err()
						case refusing:
							return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
						}
						c, _ := net.Pipe()
						return c, nil
					},
				}
				p := configured(t, "tcp", "tcp://many.example:7", "")
				p.Timeout = 2 * time.Second
				got := once(t, p, o, probe.Ask{})
				if got.Saw != tt.want || got.Took != tt.took {
					t.Errorf("saw %s %q after %s, want %s after %s", got.Saw, got.Detail, got.Took, tt.want, tt.took)
				}
				if n := len(got.Evidence.Dial); n != tt.dialled {
					t.Errorf("dialled %+v, want %d", got.Evidence.Dial, tt.dialled)
				}
				if r := got.Evidence.Resolve; r == nil || len(r.Addresses) != len(tt.addresses) {
					t.Errorf("resolved %+v", r)
				}
			})
		})
	}
}
