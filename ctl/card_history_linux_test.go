package ctl_test

import (
	"strings"
	"testing"
)

// The card shows how much of the last 24 hours the provider was up, as the dashboard does, even
// if the daemon has just started. Its changes are not only those of that time.
func TestTerminal_CardShowsTheLastDay(t *testing.T) {
	const window = "GET /api/providers/gpu-1/history?step=1h&window=1d"
	for name, c := range map[string]struct {
		day  reply
		want string
	}{
		"Kept": {ok(`{"id":"gpu-1","since":"2026-01-01T05:00:00.000Z","uptime_ratio":0.5,"usable_ratio":0.75,"known_seconds":7200,
			"state_seconds":{"RUNNING":3600,"STOPPED":3600},"window":{"from":"2026-01-01T03:00:00.000Z","until":"2026-01-02T03:04:05.000Z","step":"1h"},"transitions":[]}`),
			"up 50.0%, usable 75.0% since 2026-01-01 05:00:00"},
		"OlderDaemon": {ok(cardHistory), "up 98.2% since 2026-01-01 03:04:05"},
		"NothingKept": {ok(`{"id":"gpu-1","window":{"from":"2026-01-01T03:00:00.000Z","until":"2026-01-02T03:04:05.000Z","step":"1h"}}`), "up 98.2% since"},
		"DiskHangs":   {refused(503, `{"error":{"code":"store_failing","message":"it hangs"}}`), "up 98.2% since"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{
				"GET /api/providers/status?provider_id=gpu-1": {ok(cardRow)},
				"GET /api/providers/gpu-1/history":            {ok(cardHistory)},
				window:                                        {c.day},
			})
			got := onTerminal(t, d, 120, 40, map[string]string{"NO_COLOR": "1"}, "status", "gpu-1").String()
			if !strings.Contains(got, c.want) || !strings.Contains(got, "2026-01-01 06:04:05  RUNNING → STOPPED") {
				t.Errorf("want %q and all changes:\n%s", c.want, got)
			}
			if n := len(d.requests()); n != 3 {
				t.Errorf("%d requests, want 3", n)
			}
		})
	}
}
