package ctl_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const allRows = "GET /api/providers/status"

// rowOf is the daemon's row of one of several.
func rowOf(id, state, more string) string {
	return `{"id":"` + id + `","state":"` + state + `","reason":"ok","age_ms":1000,"source":"probe","ttl_ms":11500` + more + `}`
}

var gpus = rows(rowOf("gpu0", "RUNNING", ""), rowOf("gpu1", "STOPPED", ""), rowOf("cpu", "RUNNING", `,"paused":true`))

// A command acts on all of several or, if one is mistyped, on none. Errors of some are
// printed one a line, and the rest is done.
func TestSeveral(t *testing.T) {
	denied := refused(403, `{"error":{"code":"denied","message":"uid 7 may not pause gpu0","hint":"sudo providerctl pause gpu0; or join"}}`)
	late := refused(503, `{"error":{"code":"store_failing","message":"the change is made, but not saved yet","hint":"see: providerctl health"}}`)
	for name, tc := range map[string]struct {
		args     string
		script   map[string][]reply
		code     int
		out, err string
		asked    string // at the end, in the order of the alphabet
	}{
		"PauseIDsAndPatterns": {
			"pause cpu gpu?", map[string][]reply{allRows: {gpus}, "POST /api/providers/cpu/pause": {ok(`{"id":"cpu"}`)},
				"POST /api/providers/gpu0/pause": {ok(`{"id":"gpu0"}`)}, "POST /api/providers/gpu1/pause": {ok(`{"id":"gpu1"}`)}},
			0, "cpu is paused; it keeps its last state until: providerctl resume cpu\ngpu0 is paused; ", "",
			"POST /api/providers/cpu/pause POST /api/providers/gpu0/pause POST /api/providers/gpu1/pause",
		},
		"PauseNoneWhereOneIsUnknown": {"pause gpu0 gpu9", map[string][]reply{allRows: {gpus}}, 5, "", "no such provider: \"gpu9\"\nproviderctl: hint: did you mean: gpu0, gpu1\n", ""},
		"PauseNoneThatMatches":       {"pause tpu*", map[string][]reply{allRows: {gpus}}, 5, "", "no provider matches \"tpu*\"", ""},
		"PauseAll": {
			"pause --all", map[string][]reply{allRows: {gpus}, "POST /api/providers/gpu0/pause": {ok(`{"id":"gpu0"}`)}, "POST /api/providers/gpu1/pause": {ok(`{"id":"gpu1"}`)}},
			0, "gpu1 is paused", "", "POST /api/providers/gpu0/pause POST /api/providers/gpu1/pause",
		},
		"ResumeAll":          {"resume --all", map[string][]reply{allRows: {gpus}, "POST /api/providers/cpu/resume": {ok(`{"id":"cpu"}`)}}, 0, "cpu is probed again\n", "", "POST /api/providers/cpu/resume"},
		"ResumeAllWhereNone": {"resume --all", map[string][]reply{allRows: {rows(ollamaUp)}}, 0, "", "no provider is paused\n", ""},
		"PauseDenied": { // which is so of all of them
			"pause gpu* cpu", map[string][]reply{allRows: {gpus}, "POST /api/providers/gpu0/pause": {denied}}, 4, "",
			"providerctl: uid 7 may not pause gpu0\nproviderctl: not tried: gpu1, cpu\nproviderctl: hint: sudo providerctl pause 'gpu*' cpu; or join\n", "POST /api/providers/gpu0/pause",
		},
		"PauseSomeOfThem": {
			"pause gpu0 gpu1 cpu", map[string][]reply{allRows: {gpus}, "POST /api/providers/gpu0/pause": {late}, "POST /api/providers/gpu1/pause": {late},
				"POST /api/providers/cpu/pause": {ok(`{"id":"cpu"}`)}},
			1, "cpu is paused", "providerctl: pause gpu0: the change is made, but not saved yet\nproviderctl: pause gpu1: the change is made, but not saved yet\nproviderctl: hint: see: providerctl health\n",
			"POST /api/providers/cpu/pause POST /api/providers/gpu0/pause POST /api/providers/gpu1/pause",
		},
		"AllAreRunning":     {"is-running gpu0 cpu", map[string][]reply{allRows: {gpus}}, 0, "gpu0 is RUNNING\ncpu is RUNNING\n", "", ""},
		"OneIsNotRunning":   {"is-running gpu*", map[string][]reply{allRows: {gpus}}, 1, "gpu0 is RUNNING\ngpu1 is STOPPED\n", "", ""},
		"OneIsNotRunningQ":  {"is-running gpu* -q", map[string][]reply{allRows: {gpus}}, 1, "", "", ""},
		"RunningAndUnknown": {"is-running gpu0 gpu7", map[string][]reply{allRows: {gpus}}, 5, "", "no such provider: \"gpu7\"", ""},
		"RunningAfterAProbe": {"is-running cpu gpu0", map[string][]reply{
			allRows: {rows(rowOf("gpu0", "STOPPED", `,"stale":true`), rowOf("cpu", "RUNNING", ""))},
			"GET /api/providers/status?max_age=11.5s&provider_id=gpu0&wait=15s": {rows(rowOf("gpu0", "RUNNING", ""))},
		}, 0, "cpu is RUNNING\ngpu0 is RUNNING\n", "", "GET /api/providers/status?max_age=11.5s&provider_id=gpu0&wait=15s"},
		"ModelsOfSome": {
			"models gpu* cpu", map[string][]reply{allRows: {gpus}, "GET /api/providers/status?provider_id=gpu0&provider_id=gpu1&provider_id=cpu": {gpus},
				"GET /api/providers/gpu0/models": {ok(`{"id":"gpu0","checked_at":"2999-01-02T03:04:05Z","models":[{"id":"m0"}]}`)},
				"GET /api/providers/gpu1/models": {ok(`{"id":"gpu1"}`)},
				"GET /api/providers/cpu/models":  {ok(`{"id":"cpu","checked_at":"2999-01-02T03:04:05Z","models":[{"id":"m1"}]}`)}},
			0, "gpu0      m0", "no list of models for gpu1: STOPPED (ok)\n",
			"GET /api/providers/cpu/models GET /api/providers/gpu0/models GET /api/providers/gpu1/models GET /api/providers/status?provider_id=gpu0&provider_id=gpu1&provider_id=cpu",
		},
		"HistoryOfSome": {
			"history cpu gpu0", map[string][]reply{allRows: {gpus}, "GET /api/providers/gpu0/history?window=30d": {ok(`{"id":"gpu0","uptime_ratio":1}`)},
				"GET /api/providers/cpu/history?window=30d": {ok(`{"id":"cpu","uptime_ratio":0.5,"transitions":[{"id":"cpu","to":"RUNNING"}]}`)}},
			0, "\n\ncpu: up 50.0%\n\ngpu0: up 100%\n", "", "GET /api/providers/cpu/history?window=30d GET /api/providers/gpu0/history?window=30d",
		},
		"HistoryAsJSON": { // also of one, where a pattern may be of several
			"history *1 -o json", map[string][]reply{allRows: {gpus}, "GET /api/providers/gpu1/history?window=30d": {ok(`{"id":"gpu1","new":1}` + "\n")}},
			0, `{"providers":[{"id":"gpu1","new":1}]}` + "\n", "", "GET /api/providers/gpu1/history?window=30d",
		},
		"HistoryOfOneThatHasGone": {
			"history gpu0 gpu1 -o json", map[string][]reply{allRows: {gpus}, "GET /api/providers/gpu0/history?window=30d": {refused(404, strings.ReplaceAll(unknownID, "nope", "gpu0"))}, "GET /api/providers/gpu1/history?window=30d": {ok(`{"id":"gpu1"}`)}},
			5, `{"providers":[{"id":"gpu1"}]}` + "\n", "no such provider: \"gpu0\"", "GET /api/providers/gpu0/history?window=30d GET /api/providers/gpu1/history?window=30d",
		},
		"RefreshThoseThatMatch": {
			"refresh gpu*", map[string][]reply{allRows: {gpus}, "POST /api/providers/refresh?provider_id=gpu0&provider_id=gpu1": {ok(`{"message":"Triggered"}`)}},
			0, "Triggered", "", "POST /api/providers/refresh?provider_id=gpu0&provider_id=gpu1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, tc.script)
			d.run(t, strings.Fields(tc.args)...).want(t, tc.code, tc.out, tc.err)
			asked := d.requests()
			if len(asked) == 0 || asked[0] != allRows {
				t.Fatalf("it asked %q", asked)
			}
			if asked = asked[1:]; strings.Join(slices.Sorted(slices.Values(asked)), " ") != tc.asked {
				t.Errorf("it asked %q, want %q", asked, tc.asked)
			}
		})
	}
}

// A wait for several ends when all of them, or one of them, are reached.
func TestWait_ForSeveral(t *testing.T) {
	t.Parallel()
	ask := func(id string) string {
		return "GET /api/providers/status?max_age=1s&provider_id=" + id + "&wait=" + anything
	}
	up := func(id string) reply { return rows(rowOf(id, "RUNNING", "")) }
	down := func(id string) reply { return rows(rowOf(id, "STOPPED", "")) }
	keyless := func(id string) reply {
		return rows(`{"id":"` + id + `","state":"STOPPED","reason":"no_credentials","hint":"set the key","age_ms":1000,"source":"probe"}`)
	}
	leaving := refused(503, `{"error":{"code":"shutting_down","message":"the daemon is shutting down"}}`)
	known := []reply{rows(rowOf("a", "STOPPED", ""), rowOf("b", "STOPPED", ""))}
	both := rows(rowOf("a", "RUNNING", ""), rowOf("b", "RUNNING", ""))
	for name, tc := range map[string]struct {
		args     string
		script   map[string][]reply
		code     int
		out, err string
	}{
		"All":                 {"a b", map[string][]reply{allRows: {known[0], both}, ask("a"): {up("a")}, ask("b"): {down("b"), up("b")}}, 0, "a is RUNNING\nb is RUNNING\n", ""},
		"AllInTheOrderNamed":  {"b a --all", map[string][]reply{allRows: {known[0], both}, ask("a"): {up("a")}, ask("b"): {up("b")}}, 0, "b is RUNNING\na is RUNNING\n", ""},
		"AllThatMatch":        {"? -q", map[string][]reply{allRows: {known[0], both}, ask("a"): {up("a")}, ask("b"): {up("b")}}, 0, "", ""},
		"AllAtTheSameTime":    {"a b", map[string][]reply{allRows: {known[0], rows(rowOf("a", "STOPPED", ""), rowOf("b", "RUNNING", "")), both}, ask("a"): {up("a")}, ask("b"): {up("b")}}, 0, "a is RUNNING\nb is RUNNING\n", ""},
		"AllAndOneCannotBe":   {"a b --timeout 1h", map[string][]reply{allRows: known, ask("a"): {down("a")}, ask("b"): {keyless("b")}}, 1, "", "providerctl: b is STOPPED (no_credentials), which lasts until somebody acts\nproviderctl: hint: set the key\n"},
		"AllAndTheTimeIsUp":   {"a b --timeout 3s", map[string][]reply{allRows: known, ask("a"): {down("a")}, ask("b"): {down("b")}}, 6, "", "providerctl: a is still STOPPED after 3s\nproviderctl: b is still STOPPED after 3s\n"},
		"AllAndOneIsUnknown":  {"a nope", map[string][]reply{allRows: known}, 5, "", "no such provider: \"nope\""},
		"AllAndOneIsAState":   {"a runing", map[string][]reply{allRows: known}, 5, "", "no such provider: \"runing\"\nproviderctl: hint: did you mean: providerctl wait a --for RUNNING\n"},
		"AllOverARestart":     {"a b", map[string][]reply{allRows: {leaving, known[0], both}, ask("a"): {leaving, up("a")}, ask("b"): {leaving, up("b")}}, 0, "a is RUNNING\nb is RUNNING\n", "the daemon is shutting down; still waiting for "},
		"Any":                 {"a b --any --timeout 1h", map[string][]reply{allRows: known, ask("a"): {down("a")}, ask("b"): {down("b"), up("b")}}, 0, "b is RUNNING\n", ""},
		"AnyWhileOneHangs":    {"a b --any --timeout 1h", map[string][]reply{allRows: known, ask("a"): {{status: 200, hold: true}}, ask("b"): {up("b")}}, 0, "b is RUNNING\n", ""},
		"AnyWhereOneCannotBe": {"a b --any", map[string][]reply{allRows: known, ask("a"): {keyless("a")}, ask("b"): {down("b"), down("b"), up("b")}}, 0, "b is RUNNING\n", ""},
		"AnyWhereNoneCanBe":   {"? --any --timeout 1h", map[string][]reply{allRows: known, ask("a"): {keyless("a")}, ask("b"): {keyless("b")}}, 1, "", "b is STOPPED (no_credentials), which lasts until somebody acts\nproviderctl: hint: set the key\n"},
		"AnyAndTheTimeIsUp":   {"a b --any --timeout 3s", map[string][]reply{allRows: known, ask("a"): {keyless("a")}, ask("b"): {down("b")}}, 6, "", "b is still STOPPED after 3s\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for timeout := 3 * time.Second; ; timeout *= 2 {
				inTime := strings.NewReplacer("3s", timeout.String())
				d := startDaemon(t, tc.script)
				r := d.run(t, append([]string{"wait"}, strings.Fields(inTime.Replace(tc.args))...)...)
				if tc.code == 6 && timeout < time.Minute && !strings.Contains(r.err, " is still ") {
					continue // the first answers must come before the time is up
				}
				r.want(t, tc.code, tc.out, inTime.Replace(tc.err))
				if r.out != tc.out {
					t.Errorf("stdout %q, want %q", r.out, tc.out)
				}
				return
			}
		})
	}
}

// If there are more than are requested at a time, they take turns; one whose turn did not
// come was not checked.
func TestWait_ForMany(t *testing.T) {
	t.Parallel()
	var all, allUp []string
	script := map[string][]reply{}
	for i := range 70 {
		id := "p" + strconv.Itoa(i)
		all, allUp = append(all, rowOf(id, "STOPPED", "")), append(allUp, rowOf(id, "RUNNING", ""))
		script["GET /api/providers/status?max_age=1s&provider_id="+id+"&wait="+anything] = []reply{{status: 200, hold: true}}
	}
	script[allRows] = []reply{rows(all...), rows(allUp...)}
	for timeout := 2 * time.Second; ; timeout *= 2 {
		d := startDaemon(t, script)
		r := d.run(t, "wait", "*", "--timeout", timeout.String())
		if r.code == 3 && timeout < time.Minute {
			continue // the names must come before the time is up
		}
		if r.code != 6 || r.out != "" || !strings.Contains(r.err, "was not checked within "+timeout.String()) {
			t.Errorf("exit code %d, %q, %q", r.code, r.out, r.err)
		}
		return
	}
}
