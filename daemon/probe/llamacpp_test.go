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

// TestLlamaCPP_Confirmed: many services have a /health that says ok. One that does
// not name itself is llama.cpp when a page that only llama.cpp has says so.
func TestLlamaCPP_Confirmed(t *testing.T) {
	t.Parallel()
	const health, props, list = "/health", "/props", "/v1/models"
	ok := jsonPage(`{"status":"ok"}`)
	named := page{headers: map[string]string{"Server": "llama.cpp"}, body: ok.body}
	llama := jsonPage(`{"object":"list","data":[{"id":"gemma","owned_by":"llamacpp"}]}`)
	for name, tt := range map[string]struct {
		pages map[string]page
		want  provider.Reason
		first []string
		then  []string
	}{
		"by its name":          {map[string]page{health: named}, provider.OK, []string{health}, []string{health}},
		"by its properties":    {map[string]page{health: ok, props: jsonPage(`{"default_generation_settings":{},"total_slots":1,"build_info":"b1-x"}`)}, provider.OK, []string{health, props}, []string{health}},
		"by its list":          {map[string]page{health: ok, list: llama}, provider.OK, []string{health, props, list}, []string{health}},
		"behind a key":         {map[string]page{health: ok, props: {status: 401}, list: llama}, provider.OK, []string{health, props, list}, []string{health}},
		"not at all":           {map[string]page{health: ok}, provider.WrongService, []string{health, props, list}, []string{health, props, list}},
		"not by other shapes":  {map[string]page{health: ok, props: jsonPage(`{"a":1}`), list: jsonPage(`{"data":[{"id":"x"}]}`)}, provider.WrongService, []string{health, props, list}, []string{health, props, list}},
		"not by pages for all": {map[string]page{health: ok, props: ok, list: ok}, provider.WrongService, []string{health, props, list}, []string{health, props, list}},
		"not while it is ill":  {map[string]page{health: ok, props: {status: 502}, list: {status: 502}}, provider.ServerError, []string{health, props, list}, []string{health, props, list}},
		"not without the key":  {map[string]page{health: ok, props: {status: 401}, list: {status: 401}}, provider.Unauthorized, []string{health, props, list}, []string{health, props, list}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, site(tt.pages, missing))
			pr := newProber(t, configured(t, "llamacpp", s.url, ""), probe.Options{})
			for i, want := range [][]string{tt.first, tt.then, tt.then} {
				o := pr.Probe(t.Context(), probe.Ask{})
				if asked := s.asked(); o.Saw != tt.want || !slices.Equal(asked, want) {
					t.Errorf("probe %d: saw %s %q after %v, want %s after %v", i, o.Saw, o.Detail, asked, tt.want, want)
				}
			}
		})
	}
	for _, first := range []bool{false, true} {
		t.Run(fmt.Sprintf("anew after it was gone/dial first %t", first), func(t *testing.T) {
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
