package probe_test

import (
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// An engine with requests is watched by every probe, whether it asks for facts or not: a
// hang is noticed soon, and the next probe does not report it as healthy.
func TestVLLM_HangsOn(t *testing.T) {
	t.Parallel()
	metrics := page{body: "vllm:num_requests_running{engine=\"0\"} 1.0\nvllm:generation_tokens_total{engine=\"0\"} 7.0\n"}
	s := serve(t, site(map[string]page{
		"/health":    {},
		"/v1/models": {body: `{"object":"list","data":[{"id":"m","owned_by":"vllm"}]}`},
		"/metrics":   metrics,
	}, page{status: 404}))
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	pr := newProber(t, configured(t, "vllm", s.url, ""), probe.Options{Now: func() time.Time { return now }})
	for i, step := range []struct {
		after time.Duration
		facts bool
		want  provider.Reason
	}{
		{0, true, provider.OK},
		{10 * time.Second, false, provider.OK},
		{10 * time.Second, false, provider.Hung},
		{2 * time.Second, false, provider.Hung},
		{2 * time.Second, false, provider.Hung},
	} {
		now = now.Add(step.after)
		if o := pr.Probe(t.Context(), probe.Ask{Facts: step.facts}); o.Saw != step.want {
			t.Errorf("probe %d saw %s %q, want %s", i+1, o.Saw, o.Detail, step.want)
		}
	}
}
