//go:build !windows

package probe_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"github.com/providerd/providerd/daemon/listener"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/daemon/scarce"
	"github.com/providerd/providerd/store/provider"
)

// A probe that runs out of files says nothing about its provider, wherever that happens,
// and the daemon is notified.
func TestProbe_RunsOutOfFiles(t *testing.T) {
	t.Parallel()
	none := fmt.Errorf("open netlink: %w", os.NewSyscallError("socket", syscall.EMFILE))
	asked := 0
	for name, listens := range map[string]func(netip.AddrPort) (listener.Socket, error){
		"BeforeTheConnect": func(netip.AddrPort) (listener.Socket, error) { return listener.Socket{}, none },
		"AfterTheConnect": func(netip.AddrPort) (listener.Socket, error) {
			if asked++; asked%2 == 0 {
				return listener.Socket{}, none
			}
			return listener.Socket{UID: uint32(os.Geteuid()), Inode: 7}, nil
		},
	} {
		t.Run("WhoListens/"+name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) { keyed(w, r) })
			var told error
			o := probe.Options{Listener: listens, Scarce: func(err error) { told = err }}
			got := once(t, fallenBackTo(t, s.url), o, probe.Ask{})
			if got.Saw != provider.ProbeFailed || got.KeyWithheld || !scarce.Is(told) {
				t.Errorf("saw %s %q, withheld %t, and %v was told", got.Saw, got.Detail, got.KeyWithheld, told)
			}
			if with, without := s.keysIn(); with+without > 0 {
				t.Errorf("%d requests were sent", with+without)
			}
		})
	}
	t.Run("TheConnect", func(t *testing.T) {
		var told error
		o := dialFails(syscall.ENFILE)
		o.Scarce = func(err error) { told = err }
		got := once(t, configured(t, "http", "http://127.0.0.1:1", ""), o, probe.Ask{})
		if got.Saw != provider.ProbeFailed || got.PortListening != nil || got.APIResponding != nil || !scarce.Is(told) {
			t.Errorf("saw %s %q, and %v was told", got.Saw, got.Detail, told)
		}
	})
}
