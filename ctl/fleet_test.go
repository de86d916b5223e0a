package ctl_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

const noFleet = `{"ts":"2026-01-02T03:04:05.000Z","mode":"off","hint":"add [fleet]","members":[],"shared":[],"hosts":[],"counters":{}}`

// inFleet is the reply of a machine gpu1 in a fleet of three; more are its hosts.
func inFleet(mode string, hosts ...string) string {
	return `{"ts":"2026-01-02T03:04:05.000Z","mode":"` + mode + `","since":"2026-01-02T01:04:05.000Z","name":"lab","member":"gpu1",` +
		`"members":[{"member":"ci","version":"1.0.0","mode":"ok","shares":2,"held":1,"holds":["openai"],"lag_ms":12,"joined_s":60},` +
		`{"member":"gpu1","host":"gpu1","version":"1.1.0","self":true,"mode":"ok","shares":2,"held":1,"holds":["anthropic"],"joined_s":7200},` +
		`{"member":"gpu2","version":"1.1.0","mode":"ok","shares":0,"held":0}],` +
		`"shared":[{"id":"openai","prober":"ci","epoch":7,"members":2,"age_ms":4200,"own_checks":3,"limit_ms":61000,"limit_by":"gpu2"},` +
		`{"id":"anthropic","prober":"gpu1","here":true,"epoch":9,"members":2,"age_ms":100,"own_checks":0}],` +
		`"not_shared":[{"id":"ollama","why":"it serves this machine only"}],` +
		`"hosts":[` + strings.Join(hosts, ",") + `],"counters":{}}`
}

// gpu2 is a machine with these servers.
func gpu2(rows ...string) string {
	return `{"member":"gpu2","age_ms":100,"providers":[` + strings.Join(rows, ",") + `]}`
}

func remote(id, state, reason, more string) string {
	return fmt.Sprintf(`{"id":%q,"kind":"vllm","type":"local","state":%q,"reason":%q,"checked_ms":2000%s}`, id, state, reason, more)
}

const reachable = `,"endpoint":"http://gpu2:8000","client":{"openai_base_url":"http://gpu2:8000/v1","key_env":"STOLEN_KEY","env":"VLLM_HOST"},"models_count":1,"models":["qwen3-32b"],"latency_ms":0.1`

func TestFleet(t *testing.T) {
	for name, tc := range map[string]struct {
		args, fleet string
		code        int
		out, err    string
	}{
		"NoneSaysWhatToDo": {"fleet", noFleet, 0, "", "this machine is in no fleet\nproviderctl: hint: add [fleet]"},
		"NoneInJSON":       {"fleet -o json", noFleet, 0, `"mode":"off"`, ""},
		"Members": {
			"fleet", inFleet("ok"), 0,
			"lab: a member for 2h as gpu1, with 2 other machines; probes 1 of 2 shared providers here\n\n" +
				"MEMBER       MODE  VERSION  LAG    SINCE   PROBES  FOR THIS MACHINE\n" +
				"ci           ok    1.0.0    12 ms  1m ago  1 of 2  openai\n" +
				"gpu1 (here)  ok    1.1.0    -      2h ago  1 of 2  anthropic\n" +
				"gpu2         ok    1.1.0    -      -       0       -\n\n" +
				"members run different versions: 1.0.0, 1.1.0\n", "",
		},
		"WideHasTheProviders": {
			"fleet -o wide", inFleet("ok"), 0,
			"SHARED     PROBER       MEMBERS  AGE  OWN CHECKS  NOTE\n" +
				"openai     ci           2        4s   3           limited for 1m, as gpu2 found\n" +
				"anthropic  gpu1 (here)  2        0s   0           -\n\n" +
				"NOT SHARED  WHY\n" +
				"ollama      it serves this machine only\n", "",
		},
		"Alone": {"fleet", strings.Replace(inFleet("alone"), `"name"`, `"why":"no answer from etcd for 7s","stretched_intervals":2,"name"`, 1), 0,
			"lab: alone for 2h: no answer from etcd for 7s; everything is probed here\n", ""},
		"AloneSaysHowRarely": {"fleet", strings.Replace(inFleet("alone"), `"name"`, `"stretched_intervals":2,"name"`, 1), 0, "shared providers are probed up to 2 times less often", ""},
		"Expiring":           {"fleet", strings.Replace(inFleet("ok"), `"name"`, `"certificate_expires":"2026-01-05T03:04:05.000Z","name"`, 1), 0, "the certificate of gpu1 expires in 3d", ""},
		"Expired":            {"fleet", strings.Replace(inFleet("alone"), `"name"`, `"certificate_expires":"2026-01-01T03:04:05.000Z","name"`, 1), 0, "the certificate of gpu1 expired 24h ago", ""},
		"AnotherKey": {"fleet", strings.Replace(inFleet("ok"), `"shares":0,"held":0}`, `"shares":3,"held":0,"other_key":true}`, 1), 0,
			"gpu2         ok    1.1.0    -      -       -       -\n\n" +
				"members run different versions: 1.0.0, 1.1.0\n" +
				"gpu2 and this machine share nothing, because their fleet_key differs: give all members the same file\n", ""},
		"ModesOfTheFuture": {"fleet", inFleet("resting"), 0, "lab: resting for 2h\n", ""},
		"NoArguments":      {"fleet gpu2", noFleet, 2, "", `fleet: unexpected argument "gpu2"`},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{"GET /api/fleet": {ok(tc.fleet)}})
			d.run(t, strings.Fields(tc.args)...).want(t, tc.code, tc.out, tc.err)
		})
	}
	t.Run("AnOlderDaemonHasNone", func(t *testing.T) {
		d := startDaemon(t, nil)
		d.run(t, "fleet").want(t, 0, "", "off: the daemon is older than fleets\nproviderctl: hint: restart it")
	})
}

// The fleet is shown with the daemon's health, and is no part of it.
func TestHealth_NamesTheModeOfTheFleet(t *testing.T) {
	for fleet, want := range map[string]string{
		"ok": "daemon  ok\ndisk    ok\nfleet   ok\n", "alone": "fleet   alone, which is not unhealthy; see: providerctl fleet\n",
		"off": "daemon  ok\ndisk    ok\n", "": "daemon  ok\ndisk    ok\n",
	} {
		d := startDaemon(t, map[string][]reply{"GET /healthz": {ok(`{"status":"ok","checks":{"disk":"ok"},"fleet":"` + fleet + `"}`)}})
		got := d.run(t, "health")
		got.want(t, 0, want, "")
		if fleet != "ok" && fleet != "alone" && strings.Contains(got.out, "fleet") {
			t.Errorf("%q: %s", fleet, got.out)
		}
	}
}

func TestStatus_OfTheFleet(t *testing.T) {
	const ageless = `{"id":"vllm","kind":"vllm","type":"local","state":"RUNNING","reason":"ok"}` // as the daemon sends it
	vllm, dead := remote("vllm", "RUNNING", "ok", reachable), remote("tgi", "STOPPED", "connection_refused", `,"hint":"start it"`)
	for name, tc := range map[string]struct {
		args, fleet string
		code        int
		out, err    string
	}{
		"ByMachine": {
			"status --fleet", inFleet("ok", gpu2(vllm, dead)), 0,
			"ID         STATE    REASON              LATENCY  AGE\n" +
				"ollama     RUNNING  ok                   1.2 ms  1s\n" +
				"gpu2/vllm  RUNNING  ok                   0.1 ms  2s\n" +
				"gpu2/tgi   STOPPED  connection_refused        -  2s\n\n" +
				"gpu2/tgi  on gpu2: start it\n", "",
		},
		"OneMachine":    {"status --fleet gpu2/* -o name", inFleet("ok", gpu2(vllm, dead)), 0, "gpu2/vllm\ngpu2/tgi\n", ""},
		"OwnOnly":       {"status --fleet * -o name", inFleet("ok", gpu2(vllm, dead)), 0, "ollama\n", ""},
		"OneServer":     {"status --fleet gpu2/vllm -o name", inFleet("ok", gpu2(vllm, dead)), 0, "gpu2/vllm\n", ""},
		"Selected":      {"status --fleet --problems -o name", inFleet("ok", gpu2(vllm, dead)), 0, "gpu2/tgi\n", ""},
		"Unknown":       {"status --fleet gpu3/vllm", inFleet("ok", gpu2(vllm, dead)), 5, "", `no such provider: "gpu3/vllm"`},
		"UnknownWhere":  {"status --fleet gpu3/vllm", inFleet("ok"), 5, "", "hint: see which servers other machines have: providerctl status --fleet"},
		"None":          {"status --fleet -o name", noFleet, 0, "ollama\n", "this machine is in no fleet"},
		"AloneAreStale": {"status --fleet gpu2/vllm", inFleet("alone", gpu2(vllm)), 0, "2s stale", "lab: alone"},
		"AgeNotKnown":   {"status --fleet gpu2/vllm", inFleet("ok", gpu2(ageless)), 0, "gpu2/vllm  RUNNING  ok            -  -\n", ""},
		"AloneAgeless":  {"status --fleet gpu2/vllm", inFleet("alone", gpu2(ageless)), 0, "gpu2/vllm  RUNNING  ok            -  stale\n", "lab: alone"},
		"NotWatched":    {"status --fleet --watch", noFleet, 2, "", "hint: leave one of them out; to follow all machines: providerctl top, then f"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {rows(ollamaUp)}, "GET /api/fleet": {ok(tc.fleet)}})
			d.run(t, strings.Fields(tc.args)...).want(t, tc.code, tc.out, tc.err)
		})
	}
	t.Run("JSONHasThemAsRows", func(t *testing.T) {
		d := startDaemon(t, map[string][]reply{
			"GET /api/providers/status": {ok(`{"ts":"2026-01-02T03:04:05.000Z","new":1,"providers":[` + ollamaUp + `]}`)},
			"GET /api/fleet":            {ok(inFleet("ok", gpu2(vllm)))},
		})
		got := d.run(t, "status", "--fleet", "-o", "json")
		var reply struct {
			New       int               `json:"new"`
			Providers []provider.Status `json:"providers"`
		}
		if err := json.Unmarshal([]byte(got.out), &reply); err != nil || reply.New != 1 || len(reply.Providers) != 2 {
			t.Fatalf("%v: %s", err, got.out)
		}
		if s := reply.Providers[1]; s.ID != "gpu2/vllm" || s.Source != "fleet" || s.Endpoint != "http://gpu2:8000" || s.Client.KeyEnv != "" {
			t.Errorf("%+v", s)
		}
	})
	t.Run("OnlyOwnRowsAreProbed", func(t *testing.T) {
		d := startDaemon(t, map[string][]reply{
			"GET /api/providers/status": {rows(ollamaUp)},
			"GET /api/providers/status?max_age=0s&provider_id=ollama&wait=" + anything: {rows(ollamaUp)},
			"GET /api/fleet": {ok(inFleet("ok", gpu2(vllm)))},
		})
		d.run(t, "status", "--fleet", "--max-age", "0s", "gpu2/vllm", "-o", "name").want(t, 0, "gpu2/vllm\n", "")
		d.run(t, "status", "--fleet", "--max-age", "0s", "gpu2/vllm", "ollama", "-o", "name").want(t, 0, "gpu2/vllm\n", "")
		probed := 0
		for _, request := range d.requests() {
			if strings.Contains(request, "max_age") {
				probed++
			}
		}
		if probed != 1 {
			t.Errorf("%d of the requests asked for probes, want the second command's: %q", probed, d.requests())
		}
	})
}
