package probe_test

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// The list proves the key with the facts. After a refusal every probe asks for it, so that
// the next one does not report a server that rejects the key as healthy.
func TestLiteLLM_ProvesTheKeyUntilItIsTaken(t *testing.T) {
	t.Parallel()
	var rejects atomic.Bool
	pages := site(map[string]page{
		"/health/liveliness": jsonPage(`"I'm alive!"`),
		"/health/readiness":  jsonPage(`{"status":"connected","db":"connected"}`),
		"/v1/models":         jsonPage(`{"object":"list","data":[{"id":"m"}]}`),
	}, page{status: 404})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/models" && rejects.Load() {
			page{status: 401, body: `{"error":{"message":"Authentication Error","type":"auth_error","code":"401"}}`}.ServeHTTP(w, r)
			return
		}
		pages(w, r)
	})
	pr := newProber(t, configured(t, "litellm", s.url, "the-key"), probe.Options{})
	health := []string{"/health/liveliness", "/health/readiness"}
	whole := append(slices.Clone(health), "/v1/models")
	for i, step := range []struct {
		rejects, facts bool
		want           provider.Reason
		asked          []string
	}{
		{false, false, provider.OK, whole}, // not proven yet
		{false, false, provider.OK, health},
		{false, true, provider.OK, whole},
		{true, false, provider.OK, health}, // nobody looked
		{true, true, provider.Unauthorized, whole},
		{true, false, provider.Unauthorized, whole},
		{false, false, provider.OK, whole},
		{false, false, provider.OK, health},
	} {
		rejects.Store(step.rejects)
		o := pr.Probe(t.Context(), probe.Ask{Facts: step.facts})
		if asked := s.asked(); o.Saw != step.want || !slices.Equal(asked, step.asked) {
			t.Errorf("probe %d saw %s %q, asked for %q, want %s and %q", i+1, o.Saw, o.Detail, asked, step.want, step.asked)
		}
	}
}
