package probe_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

func TestProbe_Redirects(t *testing.T) {
	t.Parallel()
	other := serve(t, jsonPage(`{"version":"1"}`).ServeHTTP)
	to := func(where string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/there" {
				jsonPage(`{"version":"1"}`).ServeHTTP(w, r)
				return
			}
			w.Header().Set("Location", where)
			w.WriteHeader(http.StatusFound)
		}
	}
	tests := []struct {
		name, where string
		want        provider.Reason
		detail      string
		requests    int
	}{
		{"on the same host", "/there", provider.OK, "", 2},
		{"to another host", other.url + "/api/version", provider.BadResponse, "another host: " + other.url, 1},
		{"in a loop", "/api/version", provider.BadResponse, "more than 3 times", 4},
		{"to nowhere", "http://[::1", provider.BadResponse, "invalid address", 1},
		{"to another scheme", "ftp://127.0.0.1/", provider.BadResponse, "another host", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, to(tt.where))
			o := once(t, configured(t, "ollama", s.url, "the-key"), probe.Options{}, probe.Ask{})
			if o.Saw != tt.want || !strings.Contains(o.Detail, tt.detail) {
				t.Errorf("saw %s %q, want %s %q", o.Saw, o.Detail, tt.want, tt.detail)
			}
			if n := len(s.asked()); n != tt.requests {
				t.Errorf("sent %d requests, want %d", n, tt.requests)
			}
		})
	}
	if asked := other.asked(); len(asked) != 0 {
		t.Errorf("the other host was asked for %v, with the key", asked)
	}
}
