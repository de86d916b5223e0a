package ctl_test

import (
	"strings"
	"testing"
)

// The daemon is asked about its fleet, and an older one that knows none is no problem.
func TestDoctor_Fleet(t *testing.T) {
	alone := strings.Replace(inFleet("alone"), `"name"`, `"why":"no answer from etcd for 7s","hint":"check etcd","name"`, 1)
	for name, tc := range map[string]struct {
		replies map[string][]reply
		want    string
	}{
		"Alone": {map[string][]reply{"GET /api/fleet": {ok(alone)}}, "cut off from lab"},
		"None":  {map[string][]reply{"GET /api/fleet": {ok(noFleet)}}, ""},
		"Older": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			replies := map[string][]reply{"GET /api/daemon": {ok(`{"version":"0.1.0","pid":7,"uptime_seconds":60,"providers":1,"config_path":"","state_path":"/nonexistent/d"}`)}}
			for path, r := range tc.replies {
				replies[path] = r
			}
			c, _ := checkup(t, startDaemon(t, replies))
			if got := c.of("fleet"); !strings.Contains(got, tc.want) || tc.want == "" && got != "" {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}
