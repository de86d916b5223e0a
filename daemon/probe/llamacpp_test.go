package probe_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"syscall"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// TestLlamaCPP_ConfirmedAnew: a proof holds until the server was gone, because another
// server may come back.
func TestLlamaCPP_ConfirmedAnew(t *testing.T) {
	t.Parallel()
	const health = "/health"
	missing := page{status: 404, body: "404 page not found"}
	ok := jsonPage(`{"status":"ok"}`)
	named := page{headers: map[string]string{"Server": "llama.cpp"}, body: ok.body}
	for _, first := range []bool{false, true} {
		t.Run(fmt.Sprintf("dial first %t", first), func(t *testing.T) {
			t.Parallel()
			answer, gone := named, false
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Connection", "close")
				site(map[string]page{health: answer}, missing)(w, r)
			})
			pr := newProber(t, configured(t, "llamacpp", s.url, ""), probe.Options{
				Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
					if gone {
						return nil, syscall.ECONNREFUSED
					}
					return new(net.Dialer).DialContext(ctx, network, address)
				}})
			var saw []provider.Reason
			for _, happens := range []func(){
				func() {}, func() { answer = ok }, func() { gone = true }, func() { gone = false },
			} {
				happens()
				saw = append(saw, pr.Probe(t.Context(), probe.Ask{DialFirst: first}).Saw)
			}
			want := []provider.Reason{provider.OK, provider.OK, provider.ConnectionRefused, provider.WrongService}
			if !slices.Equal(saw, want) {
				t.Errorf("saw %v, want %v", saw, want)
			}
		})
	}
}
