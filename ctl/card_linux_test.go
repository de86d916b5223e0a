package ctl_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/ctl"
)

const (
	cardRow = `{"ts":"2026-01-02T03:04:05.000Z","providers":[{"id":"gpu-1","kind":"ollama","type":"local","state":"DEGRADED","reason":"model_missing",
"detail":"missing: qwen3:32b","hint":"pull the missing model: ollama pull qwen3:32b; or correct models in the configuration",
"endpoint":"http://127.0.0.1:11434","client":{"openai_base_url":"http://127.0.0.1:11434/v1"},"latency_ms":1.25,"since":"2026-01-02T01:04:05.000Z",
"last_ok_at":"2026-01-01T23:04:05.000Z","next_check_at":"2026-01-02T03:04:12.000Z","version":"0.12.3","models_count":2,"loaded_models":["a","b"],"age_ms":3000,
"incident":{"name":"Elevated errors","impact":"minor","since":"2026-01-02T02:44:05.000Z"}}],"slots":[{"provider_id":"gpu-1","total":2,"used":1,"free":1,"waiting":0}]}`
	cardHistory = `{"id":"gpu-1","since":"2026-01-01T03:04:05.000Z","uptime_ratio":0.9825,"state_seconds":{"RUNNING":7200,"STOPPED":120},"transitions":[
{"seq":1,"time":"2026-01-01T03:04:05.000Z","id":"gpu-1","from":"UNKNOWN","to":"RUNNING","reason":"ok"},
{"seq":2,"time":"2026-01-01T04:04:05.000Z","id":"gpu-1","from":"RUNNING","to":"STOPPED","reason":"connection_refused"},
{"seq":3,"time":"2026-01-01T05:04:05.000Z","id":"gpu-1","from":"STOPPED","to":"RUNNING","reason":"ok"},
{"seq":4,"time":"2026-01-01T06:04:05.000Z","id":"gpu-1","from":"RUNNING","to":"STOPPED","reason":"connection_refused"},
{"seq":5,"time":"2026-01-02T00:04:05.000Z","id":"gpu-1","from":"STOPPED","to":"RUNNING","reason":"ok"},
{"seq":6,"time":"2026-01-02T01:04:05.000Z","id":"gpu-1","from":"RUNNING","to":"DEGRADED","reason":"model_missing","detail":"missing: qwen3:32b"}]}`
)

func cardDaemon(t *testing.T) *daemon {
	return startDaemon(t, map[string][]reply{
		"GET /api/providers/status?provider_id=gpu-1": {ok(cardRow)},
		"GET /api/providers/status?provider_id=gone":  {refused(404, unknownID)},
		"GET /api/providers/gpu-1/history":            {ok(cardHistory)},
	})
}

// One provider on a screen is a card with everything that is known of it.
func TestTerminal_Card(t *testing.T) {
	for columns, want := range map[uint16]string{
		120: `● gpu-1 (ollama, local) at http://127.0.0.1:11434
     State: DEGRADED since 2026-01-02 01:04:05, 2h ago
    Reason: model_missing: up, but a model that the configuration requires is not listed
    Detail: missing: qwen3:32b
      Hint: pull the missing model: ollama pull qwen3:32b; or correct models in the configuration
  Incident: minor: Elevated errors, since 20m ago
   Version: 0.12.3
    Models: 2, loaded: a, b
  Base URL: http://127.0.0.1:11434/v1
   Checked: 3s ago in 1.2 ms, again in 7s
   Last ok: 2026-01-01 23:04:05, 4h ago
     Slots: 1 of 2 slots used

  up 98.2% since 2026-01-01 03:04:05: STOPPED 2m, RUNNING 2h

  2026-01-01 04:04:05  RUNNING → STOPPED   connection_refused  -
  2026-01-01 05:04:05  STOPPED → RUNNING   ok                  -
  2026-01-01 06:04:05  RUNNING → STOPPED   connection_refused  -
  2026-01-02 00:04:05  STOPPED → RUNNING   ok                  -
  2026-01-02 01:04:05  RUNNING → DEGRADED  model_missing       missing: qwen3:32b
`,
		40: `● gpu-1 (ollama, local) at
  http://127.0.0.1:11434
     State: DEGRADED since 2026-01-02
            01:04:05, 2h ago
    Reason: model_missing: up, but a
            model that the configuration
            requires is not listed
    Detail: missing: qwen3:32b
      Hint: pull the missing model:
            ollama pull qwen3:32b; or
            correct models in the
            configuration
  Incident: minor: Elevated errors,
            since 20m ago
   Version: 0.12.3
    Models: 2, loaded: a, b
  Base URL: http://127.0.0.1:11434/v1
   Checked: 3s ago in 1.2 ms, again in
            7s
   Last ok: 2026-01-01 23:04:05, 4h ago
     Slots: 1 of 2 slots used

  up 98.2% since 2026-01-01 03:04:05:
  STOPPED 2m, RUNNING 2h

  23h ago  STOPPED   connection_refused
  22h ago  RUNNING   ok
  21h ago  STOPPED   connection_refused
  3h ago   RUNNING   ok
  2h ago   DEGRADED  model_missing
`,
	} {
		got := onTerminal(t, cardDaemon(t), columns, 40, map[string]string{"NO_COLOR": "1"}, "status", "gpu-1").String()
		got = strings.TrimSuffix(strings.ReplaceAll(got, "\r\n", "\n"), "END")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d columns: %s", columns, diff)
		}
		checkWidth(t, got, ctl.TableOptions{Width: int(columns)})
	}
}

func TestTerminal_CardColoursTheState(t *testing.T) {
	got := onTerminal(t, cardDaemon(t), 80, 40, nil, "status", "gpu-1").String()
	const yellow, off = "\x1b[33m", "\x1b[0m"
	if !strings.HasPrefix(got, yellow+"●"+off+" gpu-1") || !strings.Contains(got, "State: "+yellow+"DEGRADED"+off+" since") {
		t.Errorf("%q", got)
	}
}

// A format, several providers, or an output that is not a screen, gives a table.
func TestTerminal_CardIsForOneOnAScreen(t *testing.T) {
	d := cardDaemon(t)
	if got := d.run(t, "status", "gpu-1").out; !strings.HasPrefix(got, "ID ") {
		t.Errorf("%s", got)
	}
	for _, args := range []string{"-o table", "--no-headers", "-o wide", "-o name", "-o yaml"} {
		if got := onTerminal(t, d, 80, 40, nil, append([]string{"status", "gpu-1"}, strings.Fields(args)...)...).String(); strings.Contains(got, "●") {
			t.Errorf("%s: %s", args, got)
		}
	}
}

// Without a history from the daemon the card is shown all the same.
func TestTerminal_CardWithoutAHistory(t *testing.T) {
	d := startDaemon(t, map[string][]reply{"GET /api/providers/status?provider_id=gpu-1": {ok(cardRow)}})
	got := onTerminal(t, d, 80, 40, nil, "status", "gpu-1").String()
	if !strings.Contains(got, "Last ok: ") || strings.Contains(got, "→") {
		t.Errorf("%s", got)
	}
}

// The summary line, and the selection of rows, are for screens.
func TestTerminal_SumsUp(t *testing.T) {
	script := map[string][]reply{"GET /api/providers/status": {ok(fleet)}}
	const line = "7 providers: 3 usable, 1 needs you, 1 stopped, 1 limited until "
	got := onTerminal(t, startDaemon(t, script), 120, 40, map[string]string{"NO_COLOR": "1"}, "status").String()
	if !strings.Contains(got, "\r\n\r\n"+line) {
		t.Errorf("%s", got)
	}
	d := startDaemon(t, script)
	low := d.anywhere(onTerminal(t, d, 120, 14, map[string]string{"NO_COLOR": "1"}, "status").String())
	if !strings.Contains(low, "\r\n… 2 more, usable: providerctl status | less\r\n") || strings.Index(low, "openai") > strings.Index(low, "gpu-2") {
		t.Errorf("%s", low)
	}
	for _, args := range []string{"*", "--sort id", "--type local,cloud,generic"} { // who has chosen sees all
		if got := onTerminal(t, startDaemon(t, script), 120, 14, nil, append([]string{"status"}, strings.Fields(args)...)...).String(); strings.Contains(got, "more") {
			t.Errorf("%s: %s", args, got)
		}
	}
	d = startDaemon(t, script)
	for _, args := range []string{"status", "status -o json", "status -o yaml", "status -o name", "status -o wide"} {
		if got := d.run(t, strings.Fields(args)...); strings.Contains(got.out, "7 providers") || got.err != "" {
			t.Errorf("%s: %+v", args, got)
		}
	}
}
