package ctl_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// row is one of a provider that was probed just now; more is further fields.
func row(id, kind, typ, state, reason string, ms string, more string) string {
	return `{"id":"` + id + `","kind":"` + kind + `","type":"` + typ + `","state":"` + state + `","reason":"` + reason +
		`","endpoint":"http://` + id + `.example:1","latency_ms":` + ms + `,"source":"probe"` + more + `}`
}

func TestPick_WhoIsTaken(t *testing.T) {
	const all = "GET /api/providers/status"
	well := func(id, typ, ms string) string { return row(id, "vllm", typ, "RUNNING", "ok", ms, "") }
	for name, tc := range map[string]struct {
		args string
		rows []string
		want string // empty: none
	}{
		"ALocalOneFirst":          {"pick", []string{well("c", "cloud", "1"), well("l", "local", "9")}, "l"},
		"ElseTheCloud":            {"pick", []string{row("l", "ollama", "local", "STOPPED", "connection_refused", "0", ""), well("c", "cloud", "1")}, "c"},
		"InTheConfigurationOrder": {"pick --prefer order", []string{well("c", "cloud", "9"), well("l", "local", "1")}, "c"},
		"TheFastest":              {"pick --prefer fastest", []string{well("a", "local", "9"), well("b", "local", "0"), well("c", "cloud", "2")}, "c"},
		"RunningBeforeSlow":       {"pick", []string{row("s", "vllm", "local", "DEGRADED", "slow", "2000", ""), well("c", "cloud", "1")}, "c"},
		"SlowBeforeNone":          {"pick", []string{row("s", "vllm", "local", "DEGRADED", "slow", "2000", "")}, "s"},
		"AnIncidentBeforeNone":    {"pick", []string{row("s", "openai", "cloud", "DEGRADED", "vendor_incident", "2", "")}, "s"},
		"CertainBeforeInDoubt":    {"pick", []string{row("d", "vllm", "local", "RUNNING", "ok", "2", `,"detail":"in doubt (1 of 2): hung"`), well("c", "cloud", "9")}, "c"},
		"InDoubtBeforeNone":       {"pick", []string{row("d", "vllm", "local", "RUNNING", "ok", "2", `,"detail":"in doubt (1 of 2): hung"`)}, "d"},
		"TrustedBeforeAStranger":  {"pick", []string{row("s", "lmstudio", "local", "RUNNING", "ok", "2", `,"key_withheld":true`), well("c", "cloud", "9")}, "c"},
		"AStrangerBeforeNone":     {"pick", []string{row("s", "lmstudio", "local", "RUNNING", "ok", "2", `,"key_withheld":true`)}, "s"},
		"WhoseKeyMayNotList":      {"pick", []string{row("s", "openai", "cloud", "RUNNING", "scope_limited", "2", "")}, "s"},
		"NotAServiceOfAnotherSort": {"pick", []string{row("h", "http", "generic", "RUNNING", "ok", "1", ""),
			well("c", "cloud", "9")}, "c"},
		"NotBeforeRetryAt":       {"pick", []string{row("r", "openai", "cloud", "RUNNING", "ok", "1", `,"retry_at":"2999-01-01T00:00:00Z"`)}, ""},
		"AfterRetryAt":           {"pick", []string{row("r", "openai", "cloud", "RUNNING", "ok", "1", `,"retry_at":"2000-01-01T00:00:00Z"`)}, "r"},
		"NotWhilePaused":         {"pick", []string{row("p", "openai", "cloud", "RUNNING", "paused", "1", `,"paused":true`)}, ""},
		"NotWhatHangs":           {"pick", []string{row("h", "vllm", "local", "DEGRADED", "hung", "1", "")}, ""},
		"NotWithoutModels":       {"pick", []string{row("h", "vllm", "local", "DEGRADED", "no_models", "1", "")}, ""},
		"NotWithoutTheOneNeeded": {"pick", []string{row("h", "vllm", "local", "DEGRADED", "model_missing", "1", "")}, ""},
		"NotWhatLoads":           {"pick", []string{row("h", "vllm", "local", "STARTING", "loading", "1", "")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{all: {rows(tc.rows...)}})
			got := d.run(t, strings.Fields(tc.args)...)
			if tc.want == "" {
				if got.code != 1 || got.out != "" || !strings.Contains(got.err, "no provider can be used now\n") {
					t.Errorf("%+v", got)
				}
			} else if got.out != tc.want+"\n" || got.code != 0 || got.err != "" {
				t.Errorf("%+v, want %s", got, tc.want)
			}
			if diff := cmp.Diff([]string{all}, d.requests()); diff != "" {
				t.Error("it asks for more than what is known:", diff)
			}
		})
	}
}

// Of those that are named the first that can be used is taken, unless it is said
// otherwise.
func TestPick_OfThoseNamed(t *testing.T) {
	const some = "GET /api/providers/status?provider_id=c&provider_id=l"
	script := map[string][]reply{some: {rows(row("l", "vllm", "local", "RUNNING", "ok", "9", ""), row("c", "openai", "cloud", "RUNNING", "ok", "1", ""))}}
	startDaemon(t, script).run(t, "pick", "c", "l").want(t, 0, "c\n", "")
	startDaemon(t, script).run(t, "pick", "c", "l", "--prefer", "local").want(t, 0, "l\n", "")
	startDaemon(t, map[string][]reply{
		"GET /api/providers/status?provider_id=web": {rows(row("web", "http", "generic", "RUNNING", "ok", "9", ""))},
	}).run(t, "pick", "web").want(t, 1, "", "web: a kind without models")
	startDaemon(t, map[string][]reply{
		"GET /api/providers/status?provider_id=nope": {refused(404, unknownID)},
	}).run(t, "pick", "nope").want(t, 5, "", "no such provider")
}

func TestPick_SaysOfEachWhyNot(t *testing.T) {
	script := map[string][]reply{"GET /api/providers/status": {rows(
		row("ollama", "ollama", "local", "STOPPED", "connection_refused", "0", `,"hint":"start it: ollama serve"`),
		row("groq", "groq", "cloud", "DEGRADED", "rate_limited", "0", `,"retry_at":"2999-01-01T00:00:00Z"`),
		row("jan", "jan", "local", "RUNNING", "paused", "0", `,"paused":true`),
	)}}
	got := startDaemon(t, script).run(t, "pick", "-o", "env")
	got.want(t, 1, "", "providerctl: no provider can be used now\nproviderctl: ollama: STOPPED (connection_refused); start it: ollama serve\n"+
		"providerctl: groq: DEGRADED (rate_limited), left alone until 2999-")
	got.want(t, 1, "", "providerctl: jan: probing is paused, so its state is not known; resume it: providerctl resume jan\n")

	got = startDaemon(t, script).run(t, "pick", "-o", "json")
	var said map[string]any
	if err := json.Unmarshal([]byte(got.out), &said); err != nil || got.code != 1 || said["id"] != nil || len(said["rejected"].([]any)) != 3 {
		t.Errorf("%v %+v", err, got)
	}
	startDaemon(t, map[string][]reply{"GET /api/providers/status": {rows()}}).run(t, "pick").want(t, 1, "", "none that serves models is configured")
}

// Where only stale rows are left, they are probed, and no other is.
func TestPick_ProbesWhatIsStaleWhenNothingElseIsLeft(t *testing.T) {
	const all, again = "GET /api/providers/status", "GET /api/providers/status?max_age=1s&provider_id=s&wait=15s"
	down := row("d", "ollama", "local", "STOPPED", "connection_refused", "0", "")
	stale := row("s", "openai", "cloud", "UNKNOWN", "not_checked", "0", `,"stale":true`)
	fresh := row("s", "openai", "cloud", "RUNNING", "ok", "1", "")
	d := startDaemon(t, map[string][]reply{all: {rows(down, stale), rows(down, fresh)}, again: {rows(fresh)}})
	d.run(t, "pick").want(t, 0, "s\n", "")
	if diff := cmp.Diff([]string{all, again, all}, d.requests()); diff != "" {
		t.Error(diff)
	}
	d = startDaemon(t, map[string][]reply{all: {rows(down, stale)}, again: {rows(stale)}})
	d.run(t, "pick").want(t, 1, "", "s: UNKNOWN (not_checked), last known; probe it: providerctl refresh s --wait\n")
	d = startDaemon(t, map[string][]reply{all: {rows(stale, row("c", "openai", "cloud", "RUNNING", "ok", "1", ""))}})
	d.run(t, "pick").want(t, 0, "c\n", "")

	var many, found []string // more than a URL has room for
	for i := range 300 {
		many = append(many, strings.Replace(stale, `"s"`, fmt.Sprintf(`"s%d"`, i), 1))
		found = append(found, strings.Replace(fresh, `"s"`, fmt.Sprintf(`"s%d"`, i), 1))
	}
	d = startDaemon(t, map[string][]reply{all: {rows(many...), rows(found...)}, all + "?max_age=1s&wait=15s": {rows(found...)}})
	d.run(t, "pick").want(t, 0, "s0\n", "")
}

func TestPick_Model(t *testing.T) {
	const all = "GET /api/providers/status"
	lists := func(ids ...string) reply {
		return ok(`{"checked_at":"2026-01-02T03:04:05Z","models":[{"id":"` + strings.Join(ids, `"},{"id":"`) + `"}]}`)
	}
	unknown := ok(`{"models":[]}`)
	up := rows(
		row("a", "vllm", "local", "RUNNING", "ok", "1", ""),
		row("b", "ollama", "local", "DEGRADED", "slow", "1", ""),
		row("c", "openai", "cloud", "RUNNING", "scope_limited", "1", ""),
		row("m", "ollama", "local", "DEGRADED", "model_missing", "1", ""),
	)
	for name, tc := range map[string]struct {
		model      string
		a, b, c, m reply
		want, why  string
	}{
		"WhoListsIt":               {"x", lists("x"), lists("x"), unknown, lists("x"), "a\n", ""},
		"LatestOfOllama":           {"x", lists("x:latest"), lists("x:latest"), unknown, lists("y"), "b\n", ""},
		"UnknownIsTheLastResort":   {"x", lists("y"), lists("y"), unknown, lists("y"), "c\n", ""},
		"MissingIsAnotherModel":    {"x", lists("y"), lists("y"), unknown, lists("x"), "m\n", ""},
		"WhatIsNearIsSuggested":    {"qwen3:8", lists("qwen3:8b", "y"), lists("z"), lists("y"), lists("y"), "", "a: it does not list qwen3:8; did you mean: --model qwen3:8b\n"},
		"WhatIsNotListedIsRefused": {"x", lists("y"), lists("y"), lists("y"), lists("y"), "", "no provider can be used now for x\nproviderctl: a: it does not list x; see: providerctl models a\n"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{
				all: {up}, "GET /api/providers/a/models": {tc.a}, "GET /api/providers/b/models": {tc.b},
				"GET /api/providers/c/models": {tc.c}, "GET /api/providers/m/models": {tc.m},
			})
			code := 0
			if tc.want == "" {
				code = 1
			}
			d.run(t, "pick", "--model", tc.model).want(t, code, tc.want, tc.why)
		})
	}
}

func TestPick_Output(t *testing.T) {
	const client = `{"openai_base_url":"http://ollama.example:1/v1","env":"OLLAMA_HOST"}`
	script := map[string][]reply{"GET /api/providers/status": {rows(row("ollama", "ollama", "local", "RUNNING", "ok", "1.25", `,"client":`+client))}}
	for format, want := range map[string]string{
		"id":  "ollama\n",
		"url": "http://ollama.example:1/v1\n",
		"env": "PROVIDERD_PROVIDER=ollama\nPROVIDERD_KIND=ollama\nPROVIDERD_ENDPOINT=http://ollama.example:1\n" +
			"OPENAI_BASE_URL=http://ollama.example:1/v1\nOLLAMA_HOST=http://ollama.example:1\n",
		"json": `{"id":"ollama","kind":"ollama","type":"local","state":"RUNNING","reason":"ok","endpoint":"http://ollama.example:1",` +
			`"base_url":"http://ollama.example:1/v1","client":` + client + `,"latency_ms":1.25,"why":"RUNNING (1.2 ms), local","rejected":[]}` + "\n",
	} {
		if diff := cmp.Diff(result{out: want}, startDaemon(t, script).run(t, "pick", "-o", format), cmp.AllowUnexported(result{})); diff != "" {
			t.Error(diff)
		}
	}
}

// What clients are told is the daemon's word, whatever the kind is.
func TestPick_ToldByTheDaemon(t *testing.T) {
	const own = "PROVIDERD_PROVIDER=p\nPROVIDERD_KIND=marmot\nPROVIDERD_ENDPOINT="
	const without = "providerctl: p: the daemon knows no address for clients of OpenAI's API, so OPENAI_BASE_URL is left out\n"
	const socket = "providerctl: p: RUNNING, at a Unix socket, which has no URL; " +
		"use the socket: providerctl pick p -o env; or make the server listen on a port\n"
	for name, tt := range map[string]struct {
		endpoint, client string
		env, url, err    string
		none             string // why there is nothing for -o url
	}{
		"OfTheFuture": {"http://h:1", `{"openai_base_url":"http://h:1/o","env":"MARMOT_URL","key_env":"MARMOT_KEY"}`,
			own + "http://h:1\nOPENAI_BASE_URL=http://h:1/o\nMARMOT_URL=http://h:1\nPROVIDERD_KEY_ENV=MARMOT_KEY\n", "http://h:1/o\n", "", ""},
		"OnceIsEnough": {"http://h:1", `{"openai_base_url":"http://h:1","env":"OPENAI_BASE_URL"}`,
			own + "http://h:1\nOPENAI_BASE_URL=http://h:1\n", "http://h:1\n", "", ""},
		"NotOpenAIs": {"http://h:1", `{"env":"MARMOT_URL"}`,
			own + "http://h:1\nMARMOT_URL=http://h:1\n", "http://h:1\n", without, ""},
		"Socket": {"unix:///run/p.sock", `{"key_env":"MARMOT_KEY"}`,
			own + "unix:///run/p.sock\nPROVIDERD_KEY_ENV=MARMOT_KEY\n", "", without, socket},
		"SocketOfAnOlderDaemon": {"unix:///run/p.sock", `{"openai_base_url":"unix:///run/p.sock/v1","env":"MARMOT_URL"}`,
			own + "unix:///run/p.sock\n", "", without, socket},
		"OlderDaemon": {"http://h:1", ``, own + "http://h:1\n", "http://h:1\n", without, ""},
		"NothingForAShell": {`https://h/$(rm)';&*?/`, `{"openai_base_url":"https://h/$(rm)';&*?/\u001b","env":"A;rm","key_env":"B;rm"}`,
			own + "https://h/%24%28rm%29%27%3B%26%2A%3F/\nOPENAI_BASE_URL=https://h/%24%28rm%29%27%3B%26%2A%3F/%1B\nPROVIDERD_KEY_ENV=B%3Brm\n",
			"https://h/%24%28rm%29%27%3B%26%2A%3F/%1B\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := `{"id":"p","kind":"marmot","type":"local","state":"RUNNING","reason":"ok","source":"probe","endpoint":"` + tt.endpoint + `"`
			if tt.client != "" {
				p += `,"client":` + tt.client
			}
			script := map[string][]reply{"GET /api/providers/status": {rows(p + "}")}}
			url := result{out: tt.url}
			if tt.none != "" {
				url = result{code: 1, err: "providerctl: no provider can be used now\n" + tt.none}
			}
			for format, want := range map[string]result{"env": {out: tt.env, err: tt.err}, "url": url} {
				got := startDaemon(t, script).run(t, "pick", "-o", format)
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// A socket is no address for a client: where one is asked for, somebody else is taken.
func TestPick_SocketAfterURLs(t *testing.T) {
	t.Parallel()
	at := func(id, endpoint, more string) string {
		return `{"id":"` + id + `","kind":"llamacpp","type":"local","state":"RUNNING","reason":"ok","source":"probe","endpoint":"` + endpoint + `"` + more + `}`
	}
	slow := strings.Replace(at("slow", "http://h:1", `,"client":{"openai_base_url":"http://h:1/v1"}`), `"RUNNING","reason":"ok"`, `"DEGRADED","reason":"slow"`, 1)
	script := map[string][]reply{
		"GET /api/providers/status":               {rows(at("s", "unix:///run/s.sock", ""), slow)},
		"GET /api/providers/status?provider_id=s": {rows(at("s", "unix:///run/s.sock", ""))},
		"GET /api/providers/s/models":             {ok(`{"id":"s","checked_at":"2026-01-02T03:04:05Z","models":[{"id":"x"}]}`)},
		"GET /api/providers/slow/models":          {ok(`{"id":"slow","checked_at":"2026-01-02T03:04:05Z","models":[{"id":"x"}]}`)},
	}
	startDaemon(t, script).run(t, "pick").want(t, 0, "s\n", "")
	startDaemon(t, script).run(t, "pick", "-o", "url").want(t, 0, "http://h:1/v1\n", "")
	startDaemon(t, script).run(t, "pick", "-o", "url", "--model", "x").want(t, 0, "http://h:1/v1\n", "")
	startDaemon(t, script).run(t, "pick", "-o", "env").want(t, 0, "OPENAI_BASE_URL=http://h:1/v1\n", "")
	startDaemon(t, script).run(t, "pick", "s", "-o", "url").want(t, 1, "", "at a Unix socket")
	startDaemon(t, script).run(t, "pick", "s", "-o", "json").want(t, 0, `"endpoint":"unix:///run/s.sock","base_url":"",`, "")
}
