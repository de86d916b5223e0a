package probe_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/listener"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// TestProbe_KeyMissedUnderAnyStatus: if the key was not sent, a complaint that it is
// missing says nothing about the key, whatever its form.
func TestProbe_KeyMissedUnderAnyStatus(t *testing.T) {
	t.Parallel()
	stranger := probe.Options{Listener: func(netip.AddrPort) (listener.Socket, error) {
		return listener.Socket{UID: uint32(os.Geteuid()) + 1, Inode: 8}, nil
	}}
	says := map[int]string{
		400: `[{"error":{"code":400,"message":"Missing or invalid Authorization header.","status":"INVALID_ARGUMENT"}}]`,
		401: `{"error":{"message":"No api key passed in."}}`,
		403: `{"error":{"message":"Method doesn't allow unregistered callers. Please use API Key or other form of API consumer identity."}}`,
		422: `{"detail":"No API key provided"}`,
		500: `{"error":{"message":"No api key provided","type":"auth_error"}}`,
	}
	for _, k := range probe.Kinds() {
		if k.Schemes != nil && !slices.Contains(k.Schemes, "http") || k.Address != nil {
			continue // sends no key
		}
		for status, body := range says {
			t.Run(fmt.Sprint(k.Name, "/", status), func(t *testing.T) {
				s := serve(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(status)
					_, _ = w.Write([]byte(body))
				})
				p := configured(t, k.Name, s.url, strangersKey)
				p.BaseURLGiven = false
				if k.Name == "anthropic" { // which has more to say of a key that was rejected
					p.KeySource = "env ANTHROPIC_API_KEY"
				}
				o := once(t, p, stranger, probe.Ask{})
				if o.Saw != provider.KeyWithheld || !strings.HasPrefix(o.Detail, "the key was not sent to 127.0.0.1:") || o.Hint != "" {
					t.Errorf("saw %s %q, hint %q", o.Saw, o.Detail, o.Hint)
				}
			})
		}
	}
}
