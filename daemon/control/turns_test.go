package control

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/socket"
	"github.com/providerd/providerd/store/provider"
)

// A user has two turns at a time and does not take those of others; who waits gets the next one
// that ends, or an error in the end.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all turns
		a, b := socket.Peer{UID: 1}, socket.Peer{UID: 2}
		take := func(p socket.Peer) func() {
			t.Helper()
			end, wrong := all.take(t.Context(), p)
			if wrong != nil {
				t.Fatal(wrong)
			}
			return end
		}
		first, second := take(a), take(a)
		began := time.Now()
		if _, wrong := all.take(t.Context(), a); wrong == nil || wrong.Code != provider.TooMany || wrong.Hint == "" || time.Since(began) != turnWait {
			t.Errorf("after %s: %v", time.Since(began), wrong)
		}
		other := take(b) // at once
		if time.Since(began) != turnWait {
			t.Errorf("another user waited until %s", time.Since(began))
		}
		go func() {
			time.Sleep(time.Second)
			first()
		}()
		third := take(a)
		if waited := time.Since(began) - turnWait; waited != time.Second {
			t.Errorf("it waited for %s", waited)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, wrong := all.take(gone, a); wrong == nil {
			t.Error("a client that has gone got a turn")
		}
		for _, end := range []func(){first, second, third, other} {
			end() // the first for the second time, which changes nothing
		}
		if all.inAll != 0 || len(all.byUser) != 0 {
			t.Errorf("%+v are left", &all.byUser)
		}
		for uid := range turnsInAll {
			defer take(socket.Peer{UID: uint32(uid)})()
		}
		if _, wrong := all.take(t.Context(), socket.Peer{UID: 99}); wrong == nil {
			t.Error("there are more turns than in all")
		}
	})
}
