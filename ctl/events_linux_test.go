package ctl_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// An event is one line of the screen: what matters least is left out, and the end is cut.
func TestTerminal_Events(t *testing.T) {
	const detail = "connect to 127.0.0.1:11434: connection refused, as it was the whole day, and nobody knows why"
	old := time.Date(2020, 1, 2, 3, 4, 5, 0, time.Local)
	script := func() map[string][]reply {
		return map[string][]reply{"GET /api/events": {stream(
			`{"seq":1800000000000001,"time":"`+old.UTC().Format(time.RFC3339)+`","id":"ollama","from":"RUNNING","to":"STOPPED","reason":"connection_refused","detail":"`+detail+`"}`,
			`{"seq":1800000000000002,"time":"`+old.UTC().Format(time.RFC3339)+`","id":"somebodys-workshop","from":"UNKNOWN","to":"DISCONNECTED","reason":"no_credentials","latency_ms":2}`,
		)}}
	}
	for name, tc := range map[string]struct {
		columns uint16
		args    string
		want    string
	}{
		"40": {40, "events",
			"2020-01-02  ollama        STOPPED   con…\n" +
				"2020-01-02  somebodys-w…  DISCONNECTED …\n"},
		"80": {80, "events",
			"2020-01-02  ollama        RUNNING  → STOPPED       connection_refused  connect …\n" +
				"2020-01-02  somebodys-w…  UNKNOWN  → DISCONNECTED  no_credentials  2.0 ms\n"},
		"120": {120, "events",
			"2020-01-02 03:04:05  ollama              RUNNING  → STOPPED       connection_refused  connect to 127.0.0.1:11434: conne…\n" +
				"2020-01-02 03:04:05  somebodys-workshop  UNKNOWN  → DISCONNECTED  no_credentials  2.0 ms\n"},
		"200": {200, "events",
			"1800000000000001  2020-01-02 03:04:05  ollama              RUNNING  → STOPPED       connection_refused  " + detail + "\n" +
				"1800000000000002  2020-01-02 03:04:05  somebodys-workshop  UNKNOWN  → DISCONNECTED  no_credentials  2.0 ms\n"},
		"40Wide": {40, "events -n 1 -o wide",
			"1800000000000002  2020-01-02 03:04:05  somebodys-workshop  UNKNOWN  → DISCONNECTED  no_credentials  2.0 ms\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := onTerminal(t, startDaemon(t, script()), tc.columns, 24, map[string]string{"NO_COLOR": "1"}, strings.Fields(tc.args)...).String()
			if diff := cmp.Diff(tc.want, strings.TrimSuffix(strings.ReplaceAll(got, "\r\n", "\n"), "END")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("ColoursTheState", func(t *testing.T) {
		got := onTerminal(t, startDaemon(t, script()), 80, 24, nil, "events").String()
		if !strings.Contains(got, "RUNNING  → \x1b[2mSTOPPED\x1b[0m  ") {
			t.Errorf("%q", got)
		}
	})
}
