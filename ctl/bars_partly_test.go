package ctl_test

import (
	"strings"
	"testing"
)

// An hour of which a minute is known does not look like an hour in which all was well.
func TestHistory_PartlyKnownBarsCanBeSeen(t *testing.T) {
	hour := func(at, known, usable string) string {
		return `{"time":"2026-01-02T` + at + `:00:00.000Z","known_seconds":` + known + `,"usable_seconds":` + usable + `,"state_seconds":{}}`
	}
	d := startDaemon(t, map[string][]reply{"GET /api/providers/a/history?window=30d": {ok(`{"id":"a","transitions":[],
		"window":{"from":"2026-01-02T00:00:00.000Z","until":"2026-01-02T05:01:00.000Z","step":"1h"},
		"buckets":[` + strings.Join([]string{
		hour("00", "60", "60"), hour("01", "3600", "3600"), hour("02", "60", "0"), hour("04", "1800", "1800"), hour("05", "60", "60"),
	}, ",") + `]}`)}})
	got := d.run(t, "history", "a").out
	for _, want := range []string{"░█▁·██\n", "~#0.##\n"} {
		if strings.Contains(got, want) {
			return
		}
	}
	t.Errorf("%s", got)
}
