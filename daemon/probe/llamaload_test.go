package probe_test

import (
	"slices"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A llama-server that may sleep is left alone: each check of its load, which keeps it
// awake, comes after twice the time. If it has not slept for hours all the same, it is
// checked once a minute, like one that cannot sleep.
func TestLlamaCPP_LetsSleep(t *testing.T) {
	t.Parallel()
	named := func(body string) page { return page{headers: map[string]string{"Server": "llama.cpp"}, body: body} }
	s := serve(t, site(map[string]page{
		"/health":    named(`{"status":"ok"}`),
		"/v1/models": named(`{"object":"list","data":[{"id":"m","owned_by":"llamacpp"}]}`),
		"/props":     named(`{"build_info":"b10600-1","is_sleeping":false}`),
		"/slots":     named(`[{"id":0,"is_processing":false,"id_task":7}]`),
	}, page{status: 404}))
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	pr := newProber(t, configured(t, "llamacpp", s.url, ""), probe.Options{Now: func() time.Time { return now }})
	var looks []int // minutes
	for minute := range 600 {
		if o := pr.Probe(t.Context(), probe.Ask{Facts: true}); o.Saw != provider.OK {
			t.Fatalf("saw %s %q", o.Saw, o.Detail)
		}
		if slices.Contains(s.asked(), "/slots") {
			looks = append(looks, minute)
		}
		now = now.Add(time.Minute)
	}
	want := []int{0, 1, 3, 7, 15, 31, 63, 127, 255, 511}
	for m := 512; m < 600; m++ {
		want = append(want, m)
	}
	if !slices.Equal(looks, want) {
		t.Errorf("looked in the minutes %d, want %d", looks, want)
	}
}
