package ctl_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	ollamaUp   = `{"id":"ollama","kind":"ollama","state":"RUNNING","reason":"ok","latency_ms":1.25,"age_ms":1000,"source":"probe","ttl_ms":11500}`
	ollamaDown = `{"id":"ollama","kind":"ollama","state":"STOPPED","reason":"connection_refused","hint":"start it: ollama serve","age_ms":1000,"source":"probe","ttl_ms":3500}`
	unknownID  = `{"error":{"code":"unknown_provider","message":"no such provider: \"nope\"","hint":"see: providerctl status"}}`
)

func rows(rows ...string) reply {
	return ok(`{"ts":"2026-01-02T03:04:05.000Z","seq":3,"providers":[` + strings.Join(rows, ",") + `]}`)
}

// TestCommands runs each command against the reply that the daemon gives.
func TestCommands(t *testing.T) {
	for name, tc := range map[string]struct {
		args     string
		request  string
		reply    reply
		code     int
		out, err string
	}{
		"Discover/JSON": {
			"discover -o json", "POST /api/discover", ok(`{"found":[],"of_the_future":1}` + "\n"), 0, `{"found":[],"of_the_future":1}` + "\n", "",
		},
		"Discover/Nothing": {
			"discover", "POST /api/discover", ok(`{"found":[]}`), 1, "", "nothing answers at the default address of any local kind",
		},
		"Status/ShowsATable": {
			"status", "GET /api/providers/status", rows(ollamaDown), 0,
			"ID      STATE    REASON              LATENCY  AGE\n" +
				"ollama  STOPPED  connection_refused        -  1s\n\nollama  start it: ollama serve\n", "",
		},
		"Status/AsLs":        {"ls ollama", "GET /api/providers/status?provider_id=ollama", rows(ollamaUp), 0, "1.2 ms", ""},
		"Status/AsSt":        {"st -o json", "GET /api/providers/status", rows(ollamaUp), 0, "1.25", ""},
		"Complete/OfAnAlias": {"__complete ls o", "GET /api/providers/status", rows(ollamaUp), 0, "ollama\tRUNNING\n", "ShellCompDirectiveNoFileComp"},
		"Status/NamesProviders": {
			"status b a", "GET /api/providers/status?provider_id=b&provider_id=a", rows(ollamaUp), 0, "1.2 ms", "",
		},
		"Status/JSONKeepsWhatItDoesNotKnow": {
			"status -o json", "GET /api/providers/status", ok(`{"of_the_future":1}` + "\n"), 0, `{"of_the_future":1}` + "\n", "",
		},
		"Status/ProbesOldRowsFirst": {
			"status --max-age 0s --wait 1s", "GET /api/providers/status?max_age=0s&wait=1s", rows(ollamaUp), 0, "RUNNING", "",
		},
		"Status/MayWaitForNothing": {
			"status --max-age 0s --wait 0s", "GET /api/providers/status?max_age=0s&wait=0s", rows(ollamaUp), 0, "RUNNING", "",
		},
		"Status/OutwaitsAServerThatHangs": {
			"status --max-age 10s", "GET /api/providers/status?max_age=10s&wait=15s", rows(ollamaUp), 0, "RUNNING", "",
		},
		"Status/SaysThatThereIsNone": {
			"status", "GET /api/providers/status", rows(), 0, "", "no provider is configured",
		},
		"Status/UnknownProvider": {
			"status nope", "GET /api/providers/status?provider_id=nope", refused(404, unknownID), 5, "",
			"providerctl: no such provider: \"nope\"\nproviderctl: hint: see: providerctl status\n",
		},
		"Status/EscapesWhatAProviderSays": {
			"status -o wide", "GET /api/providers/status",
			rows(`{"id":"a","state":"ERROR","reason":"x","detail":"\u001b]0;owned\u0007\u202ered\n"}`), 0,
			`\x1b]0;owned\a\u202ered\n`, "",
		},
		"Refresh/ReturnsAtOnce": {
			"refresh ollama --force", "POST /api/providers/refresh?force=1&provider_id=ollama",
			reply{status: 202, body: `{"message":"Triggered refresh for provider: ollama","generation":4}`}, 0,
			"Triggered refresh for provider: ollama\n", "",
		},
		"Refresh/WaitShowsRows": {
			"refresh ollama --wait", "POST /api/providers/refresh?provider_id=ollama&wait=15s",
			ok(`{"generation":4,"providers":[` + ollamaUp + `]}`), 0, "ollama  RUNNING  ok", "",
		},
		"Refresh/TimeoutShowsWhatThereIs": {
			"refresh ollama --timeout 1s", "POST /api/providers/refresh?provider_id=ollama&wait=1s",
			refused(504, `{"generation":4,"providers":[`+ollamaDown+`],"error":{"code":"timed_out","message":"no result within 1s","hint":"give it longer"}}`), 6,
			"ollama  STOPPED", "no result within 1s\nproviderctl: hint: give it longer",
		},
		"Refresh/TimeoutAsJSON": {
			"refresh --wait -o json", "POST /api/providers/refresh?wait=15s",
			refused(504, `{"providers":[],"error":{"code":"timed_out","message":"late"}}`), 6, `"providers":[]`, "late",
		},
		"Refresh/SaysWhatWasSkipped": {
			"refresh a", "POST /api/providers/refresh?provider_id=a",
			reply{status: 202, body: `{"message":"m","skipped":[{"id":"a","reason":"rate_limited","message":"asked to be left alone"}]}`}, 0,
			"", "a was not probed: asked to be left alone",
		},
		"Events/ShowsWhatIsKept": {
			"events --since 0", "GET /api/events?since=0",
			stream(`{"seq":1,"time":"2026-01-02T03:04:05.000Z","id":"ollama","from":"STOPPED","to":"RUNNING","reason":"ok","latency_ms":1}`), 0,
			"ollama        STOPPED  → RUNNING   ok  1.0 ms\n", "",
		},
		"Events/JSONIsTheLinesAsTheyCame": {
			"events -o json", "GET /api/events", stream(`{"seq":1,"new":true}`, `{"type":"heartbeat","seq":1}`), 0, `{"seq":1,"new":true}` + "\n", "",
		},
		"Events/TheLatest": {
			"events -n 2 -o json", "GET /api/events", stream(`{"seq":1}`, `{"type":"gap","reason":"events_gone","first":2,"seq":2}`, `{"seq":3}`, `{"seq":4}`), 0,
			`{"seq":3}` + "\n" + `{"seq":4}` + "\n", "",
		},
		"Events/NoneAreTheLatest": {"events -n 0", "GET /api/events", stream(`{"seq":1,"id":"a"}`), 0, "", ""},
		"Events/OfThoseThatMatch": {
			"events a* --since 1 -o json", "GET /api/events?since=1", stream(`{"seq":2,"id":"b"}`, `{"seq":3,"id":"a1"}`, `{"seq":4,"id":"host","ids":["b","a2"]}`), 0,
			`{"seq":3,"id":"a1"}` + "\n" + `{"seq":4,"id":"host","ids":["b","a2"]}` + "\n", "",
		},
		"Events/OfAProviderOfThePast": {"events old", "GET /api/events", stream(`{"seq":2,"id":"b"}`, `{"seq":3,"id":"old","to":"STOPPED"}`), 0, "old", ""},
		"Events/ByTimeWithoutAGapBefore": {
			"events --since 2026-01-02 -o json", "GET /api/events", stream(
				`{"type":"gap","reason":"events_gone","first":1,"seq":1}`, `{"seq":2,"time":"2025-12-30T00:00:00Z"}`, `{"seq":3,"time":"2026-01-04T00:00:00Z"}`), 0,
			`{"seq":3,"time":"2026-01-04T00:00:00Z"}` + "\n", "",
		},
		"Events/TellsOfAGap": {
			"events", "GET /api/events", stream(`{"seq":2,"id":"a","to":"RUNNING"}`, `{"type":"gap","reason":"events_gone","first":3,"seq":9}`), 0,
			"RUNNING", "events 3 to 9: gone, because the daemon's database was damaged\n",
		},
		"Events/JSONHasTheGap": {
			"events -o json", "GET /api/events", stream(`{"type":"gap","reason":"events_gone","first":3,"seq":3}`, `{"seq":4}`), 0,
			`{"type":"gap","reason":"events_gone","first":3,"seq":3}` + "\n" + `{"seq":4}` + "\n", "event 3: gone, because",
		},
		"History/TellsOfAGap": {
			"history a", "GET /api/providers/a/history?window=30d", ok(`{"id":"a","state_seconds":{},"transitions":[],"gaps":[{"first":3,"last":9}]}`), 0,
			"events 3 to 9: gone, because the daemon's database was damaged; that time does not count\n", "",
		},
		"History/SumsUp": {
			"history a", "GET /api/providers/a/history?window=30d",
			ok(`{"id":"a","uptime_ratio":0.9825,"state_seconds":{"RUNNING":7200,"STOPPED":120},"transitions":[{"seq":1,"id":"a","from":"STOPPED","to":"RUNNING"}]}`), 0,
			"a: up 98.2%: STOPPED 2m, RUNNING 2h\n", "",
		},
		"History/SinceATime": {
			"history a --since 2026-01-02T03:04:05Z -o json", "GET /api/providers/a/history?from=2026-01-02T03%3A04%3A05.000Z&step=1d", ok(`{"id":"a","new":1}`), 0, `{"id":"a","new":1}` + "\n", "",
		},
		"History/SinceAnEvent":  {"history a --since 42", "GET /api/providers/a/history?since=42", ok(`{"id":"a","state_seconds":{},"transitions":[]}`), 0, "a: nothing is known yet\n", ""},
		"Pause/SaysHowToResume": {"pause a", "POST /api/providers/a/pause", ok(`{"id":"a"}`), 0, "providerctl resume a", ""},
		"Pause/Denied":          {"pause a", "POST /api/providers/a/pause", refused(403, `{"error":{"code":"denied","message":"not yours","hint":"sudo providerctl pause a"}}`), 4, "", "hint: sudo providerctl pause a"},
		"Resume/SaysSo":         {"resume a", "POST /api/providers/a/resume", ok(`{"id":"a"}`), 0, "a is probed again", ""},
		"Report/SaysUntilWhen": {
			"report a --status 429 --retry-after 60", `POST /api/providers/a/report {"status":429,"retry_after":"60"}`,
			ok(`{"id":"a","state":"DEGRADED","reason":"rate_limited","retry_at":"2999-01-02T03:04:05.2Z"}`), 0,
			"a is DEGRADED (rate_limited), left alone until " + time.Date(2999, 1, 2, 3, 4, 6, 0, time.UTC).Local().Format("2006-01-02 15:04:05"), "",
		},
		"Report/SaysThatItIsADoubt": {
			"report a --error timeout", `POST /api/providers/a/report {"error":"timeout"}`,
			ok(`{"id":"a","state":"RUNNING","reason":"ok","latency_ms":1.25,"detail":"in doubt (1 of 2): hung: reported by uid 7"}`), 0,
			"a is RUNNING (1.2 ms), in doubt (1 of 2): hung: reported by uid 7\n", "",
		},
		"Report/OfOneThatIsPaused": {
			"report a --status 401", `POST /api/providers/a/report {"status":401}`,
			ok(`{"id":"a","state":"RUNNING","reason":"paused","paused":true}`), 0, "a is RUNNING (paused)\n", "probing of a is paused",
		},
		"Report/JSON":   {"report a --status 401 -o json", `POST /api/providers/a/report {"status":401}`, ok(`{"id":"a","new":1}`), 0, `{"id":"a","new":1}` + "\n", ""},
		"Report/Denied": {"report a --status 401", `POST /api/providers/a/report {"status":401}`, refused(403, `{"error":{"code":"denied","message":"not yours","hint":"sudo providerctl report a --status 401"}}`), 4, "", "hint: sudo providerctl report a --status 401"},
		"Report/Refused": {
			"report a --status 404", `POST /api/providers/a/report {"status":404}`,
			refused(400, `{"error":{"code":"bad_request","message":"404 is about the request, not about the provider"}}`), 2, "", "404 is about the request",
		},
		"Info/ShowsTheDaemon": {"info", "GET /api/daemon", ok(`{"version":"v9","pid":7}`), 0, "configuration  none: built-in defaults", ""},
		"Info/SaysWhereAFileWouldBe": {
			"info", "GET /api/daemon", ok(`{"config_path":"","config_default":"/etc/providerd/providerd.toml"}`), 0,
			"built-in defaults; a file would be /etc/providerd/providerd.toml", "",
		},
		"Reload/SaysWhatChanged": {"reload", "POST /api/daemon/reload", ok(`{"config_path":"/c","added":["x","y"],"unchanged":3,"restart_needed":["socket"]}`), 0, "reloaded /c: added x y, 3 unchanged", "restart the daemon for: socket"},
		"Reload/NamesSettings": {
			"reload", "POST /api/daemon/reload",
			ok(`{"config_path":"/c","changed":["x"],"changed_settings":{"x":["interval","models"]},"applied":["log_level = \"debug\""],"warnings":["/c:2: odd"]}`),
			0, "reloaded /c: changed x (interval, models), 0 unchanged; now log_level = \"debug\"\n", "providerctl: warning: /c:2: odd\n",
		},
		"Reload/ShowsTheLine":      {"reload", "POST /api/daemon/reload", refused(422, `{"error":{"code":"config_invalid","message":"/c:3:1: unknown key\n  3 | colour = 1\n    | ^","hint":"remove it"}}`), 1, "", "providerctl: /c:3:1: unknown key\n  3 | colour = 1\n    | ^\nproviderctl: hint: remove it\n"},
		"LogLevel/ShowsIt":         {"log-level", "GET /api/daemon", ok(`{"log_level":"info"}`), 0, "info\n", ""},
		"LogLevel/ChangesIt":       {"log-level debug", `PUT /api/daemon/log-level {"level":"debug"}`, ok(`{"level":"debug"}`), 0, "debug\n", ""},
		"LogLevel/Off":             {"log-level off", `PUT /api/daemon/log-level {"level":"off"}`, ok(`{"level":"off"}`), 0, "off\n", ""},
		"Completion/Script":        {"completion bash", "", reply{}, 0, "complete ", ""},
		"Completion/Help":          {"completion", "", reply{}, 0, "Available Commands:", ""},
		"Logs/ShowsLines":          {"logs -n 2", "GET /api/daemon/log?lines=2", stream(`{"time":"2026-01-02T03:04:05.678Z","level":"warn","message":"slow\u001b[2J","fields":{"id":"a","took":"1 s"}}`), 0, `[WARN]  slow\x1b[2J: id=a took="1 s"`, ""},
		"Logs/KeepsEveryDigit":     {"logs", "GET /api/daemon/log", stream(`{"level":"info","message":"m","fields":{"generation":1795812037817635}}`), 0, "m: generation=1795812037817635\n", ""},
		"Logs/None":                {"logs -n 0", "GET /api/daemon/log?lines=0", stream(), 0, "", ""},
		"Logs/JSON":                {"logs -o json", "GET /api/daemon/log", stream(`{"message":"m","new":1}`), 0, `{"message":"m","new":1}` + "\n", ""},
		"Health/Well":              {"health", "GET /healthz", ok(`{"status":"ok","checks":{"store":"ok"}}`), 0, "store   ok\n", ""},
		"Health/UnwellAndQuiet":    {"health -q", "GET /healthz", refused(503, `{"status":"unwell","checks":{"store":"disk full"}}`), 1, "", ""},
		"Health/UnwellIsNo":        {"health", "GET /healthz", refused(503, `{"status":"unwell","checks":{"store":"disk full"}}`), 1, "disk full", ""},
		"Health/UnwellAsJSON":      {"health -o json", "GET /healthz", refused(503, `{"status":"unwell","checks":{}}`), 1, `{"status":"unwell","checks":{}}`, ""},
		"Complete/OffersIDs":       {"__complete pause o", "GET /api/providers/status", rows(ollamaUp), 0, "ollama\tRUNNING\n", "ShellCompDirectiveNoFileComp"},
		"Complete/IDsOfRun":        {"__complete run --wait 5s o", "GET /api/providers/status", rows(ollamaUp), 0, "ollama\tRUNNING\n", "ShellCompDirectiveNoFileComp"},
		"Complete/AFileOfAProgram": {"__complete run ollama -- python -m a", "", reply{}, 0, ":0\n", "ShellCompDirectiveDefault"},
		"Complete/OffersStates":    {"__complete wait a --for R", "", reply{}, 0, "RUNNING\n", "ShellCompDirectiveNoFileComp"},
		"Complete/NotTheNamed":     {"__complete status ollama x", "GET /api/providers/status", rows(strings.ReplaceAll(ollamaUp, "ollama", "xa"), ollamaUp, strings.ReplaceAll(ollamaUp, "ollama", "xb")), 0, "xa\tRUNNING\nxb\tRUNNING\n", "ShellCompDirectiveNoFileComp"},
		"Complete/MoreStates":      {"__complete wait a --for RUNNING,D", "", reply{}, 0, "RUNNING,DEGRADED\n", "ShellCompDirectiveNoFileComp"},
		"Complete/NoFiles":         {"__complete logs --lines 1", "", reply{}, 0, ":4\n", "ShellCompDirectiveNoFileComp"},
		"Complete/NoFilesAsWords":  {"__complete info i", "", reply{}, 0, ":4\n", "ShellCompDirectiveNoFileComp"},
		"Complete/AFile":           {"__complete backup b", "", reply{}, 0, ":0\n", "ShellCompDirectiveDefault"},
		"Complete/ASocket":         {"__complete --socket s", "", reply{}, 0, ":0\n", "ShellCompDirectiveDefault"},
		"IsRunning/Running":        {"is-running ollama", "GET /api/providers/ollama", ok(ollamaUp), 0, "ollama is RUNNING (1.2 ms)\n", ""},
		"IsRunning/Stopped":        {"is-running ollama", "GET /api/providers/ollama", ok(ollamaDown), 1, "ollama is STOPPED (connection_refused)\n", ""},
		"IsRunning/DegradedIsNot":  {"is-running a", "GET /api/providers/a", ok(`{"id":"a","state":"DEGRADED","reason":"slow"}`), 1, "DEGRADED", ""},
		"IsRunning/Quiet":          {"is-running ollama -q", "GET /api/providers/ollama", ok(ollamaDown), 1, "", ""},
		"IsRunning/Unknown":        {"is-running nope", "GET /api/providers/nope", refused(404, unknownID), 5, "", "no such provider"},
		"Version/SaysItsOwn":       {"version", "", reply{}, 0, "providerctl v1.2.3 (go", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{tc.request: {tc.reply}})
			d.run(t, strings.Fields(tc.args)...).want(t, tc.code, tc.out, tc.err)
			want := []string{tc.request}
			if tc.request == "" {
				want = nil
			}
			if diff := cmp.Diff(want, d.requests()); diff != "" {
				t.Error("requests", diff)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	for args, says := range map[string]string{
		"nonsense":                 "no such command: \"nonsense\"\nproviderctl: hint: see: providerctl --help\n",
		"statu":                    "hint: did you mean: providerctl status\n",
		"completion nosuch":        "no such shell: \"nosuch\"\nproviderctl: hint: use one of: providerctl completion bash, ",
		"status --nonsense":        "status: no such flag: --nonsense\nproviderctl: hint: see: providerctl status --help\n",
		"status --max-age soon":    "status: --max-age cannot be \"soon\"\nproviderctl: hint: give a number and a unit: --max-age 30s\n",
		"status -o toml":           "hint: use one of: table, wide, name, json, yaml\n",
		"wait a --timeout":         "wait: --timeout needs a value\n",
		"status -z":                "no such flag: -z\n",
		"status --max-age=-1s":     "a duration is negative",
		"status -o name --watch":   "--watch shows more than names",
		"status --state blue":      "status: --state cannot be \"blue\"\nproviderctl: hint: use one of: UNKNOWN, STOPPED, STARTING, RUNNING, DEGRADED, ERROR\n",
		"status --state runing":    "hint: did you mean: --state RUNNING\n",
		"status --state=RUNNING,":  "status: --state cannot be \"RUNNING,\"",
		"status --type clod":       "hint: did you mean: --type cloud\n",
		"status --kind=":           "status: --kind cannot be \"\"",
		"status --sort speed":      "hint: use one of: id, state, reason, kind, latency, age, since\n",
		"status --wait 1s":         "hint: say how old a row may be: --max-age 0s",
		"refresh --timeout 0s":     "--timeout must be positive",
		"wait":                     "an argument is missing\nproviderctl: hint: usage: providerctl wait ID",
		"wait a b --any --all":     "wait: --any and --all",
		"pause a --all":            "pause: --all and the ID \"a\"",
		"wait a --for BLUE":        "no such state: \"BLUE\"",
		"wait a --timeout 0s":      "--timeout must be positive",
		"is-running":               "an argument is missing",
		"logs -n -3":               "--lines is negative",
		"events --since minus":     "hint: give a time, or the number of an event: --since 1h, ",
		"events -n -1":             "events: --lines is negative",
		"diagnose a --timeout -1s": "--timeout must be positive",
		"report a":                 "report: say what happened\nproviderctl: hint: for example: --status 429",
		"report a --status 000":    "or --error timeout where no answer came",
		"report a --status soon":   "report: --status cannot be \"soon\"\nproviderctl: hint: give a whole number",
		"pause":                    "usage: providerctl pause ID",
		"pick --prefer cheapest":   "pick: --prefer cannot be \"cheapest\"\nproviderctl: hint: use one of: local, fastest, idle, order\n",
		"pick --model=":            "--model is empty",
		"info extra":               "unexpected argument \"extra\"",
	} {
		t.Run(args, func(t *testing.T) {
			run(t.Context(), strings.Fields(args)...).want(t, 2, "", says)
		})
	}
	t.Run("EmptyArgument", func(t *testing.T) {
		run(t.Context(), "history", "").want(t, 2, "", "an argument is empty")
	})
}

func TestMain_NoCommandShowsHelp(t *testing.T) {
	run(t.Context()).want(t, 0, "Available Commands:", "")
}

func TestIsRunning_AsksAgainWhenWhatIsKnownIsStale(t *testing.T) {
	stale := strings.Replace(ollamaUp, `"source":"probe"`, `"source":"restored","stale":true`, 1)
	const again = "GET /api/providers/status?max_age=11.5s&provider_id=ollama&wait=15s"
	for name, tc := range map[string]struct {
		row  string
		code int
	}{"Running": {ollamaUp, 0}, "Stopped": {ollamaDown, 1}, "StillStale": {stale, 1}} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{"GET /api/providers/ollama": {ok(stale)}, again: {rows(tc.row)}})
			d.run(t, "is-running", "ollama", "-q").want(t, tc.code, "", "")
		})
	}
}
