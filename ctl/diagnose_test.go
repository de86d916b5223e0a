package ctl_test

import (
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/store/provider"
)

const (
	diagnoseA = "POST /api/providers/a/diagnose?wait=15s"
	evidence  = `"id":"a","kind":"openai","endpoint":"https://h/v1","took_ms":212,
		"resolve":{"host":"h","addresses":["192.0.2.1","192.0.2.2"],"took_ms":2},
		"dial":[{"address":"192.0.2.1:443","took_ms":20,"error":"refused"},{"address":"192.0.2.2:443","took_ms":20}],
		"tls":{"version":"TLS 1.3","subject":"h","issuer":"CA","days_left":30,"took_ms":40},
		"requests":[{"method":"GET","url":"https://h/v1/models","status":429,"headers":{"Retry-After":"3"},"body_bytes":9,"body_start":"{\"a\":1}","took_ms":120}],
		"checks":[{"asked":"A h","answer":"192.0.2.1","took_ms":3},{"asked":"AAAA h","took_ms":4,"error":"refused"}],
		"verdict":{"state":"DEGRADED","reason":"rate_limited","saw":"rate_limited","definite":true,"fall":2,"hint":"wait"}`
)

func TestDiagnose(t *testing.T) {
	want := `a (openai), not probed since the daemon started
endpoint  https://h/v1
resolve   h is 192.0.2.1, 192.0.2.2 (2.0 ms)
connect   192.0.2.1:443: refused (20 ms)
connect   192.0.2.2:443 (20 ms)
tls       TLS 1.3, for h, by CA, 30 days left (40 ms)
request   GET https://h/v1/models
  answer  429, 9 bytes (120 ms)
  header  Retry-After: 3
  body    {"a":1}
check     A h
  answer  192.0.2.1 (3.0 ms)
check     AAAA h
  answer  none: refused (4.0 ms)
verdict   DEGRADED (rate_limited)
  rule    a limit that passes with time, mostly 429; retry_at says until when → rate_limited
  weight  definite: one such probe is enough
  hint    wait
`
	t.Run("ShowsEachLayer", func(t *testing.T) {
		d := startDaemon(t, map[string][]reply{diagnoseA: {ok(`{` + evidence + `,"generation":1}`)}})
		got := d.run(t, "diagnose", "a")
		if diff := cmp.Diff(want, got.out); diff != "" || got.code != 0 || got.err != "" {
			t.Error(got.code, got.err, diff)
		}
		if !slices.Equal(d.requests(), []string{diagnoseA}) {
			t.Error(d.requests())
		}
	})
	t.Run("ShowsWhatTheServerWantsOfUs", func(t *testing.T) {
		for asked, shown := range map[string]string{
			`"client_certificate":{}`: "client    certificate wanted, none sent\n",
			`"client_certificate":{"takes":["CN=A","CN=B"],"shown":"CN=us","not_after":"2026-05-04T12:00:00Z"}`: "client    certificate wanted, sent CN=us, valid until 2026-05-04; the server accepts those signed by CN=A or CN=B\n",
			`"outdated":"ca_file: no such file"`: "files     still using the old files: ca_file: no such file\n",
		} {
			d := startDaemon(t, map[string][]reply{diagnoseA: {ok(`{` + strings.Replace(evidence, `"days_left":30,`, `"days_left":30,`+asked+`,`, 1) + `,"generation":1}`)}})
			if got := d.run(t, "diagnose", "a"); !strings.Contains(got.out, "\n"+shown) {
				t.Errorf("want %q in:\n%s", shown, got.out)
			}
		}
	})
	t.Run("ShowsTheLastProbeWhenNoneIsReadyInTime", func(t *testing.T) {
		d := startDaemon(t, map[string][]reply{"POST /api/providers/a/diagnose?force=1&wait=1s": {
			refused(504, `{`+evidence+`,"error":{"code":"timed_out","message":"no result within 1s"}}`)}})
		d.run(t, "diagnose", "a", "--timeout", "1s", "--force").want(t, 6, "429, 9 bytes",
			"this is the last probe:\nproviderctl: no result within 1s\n")
	})
	t.Run("SaysWhyThereWasNoProbe", func(t *testing.T) {
		d := startDaemon(t, map[string][]reply{diagnoseA: {
			ok(`{` + evidence + `,"skipped":{"id":"a","reason":"rate_limited","message":"wait; or: providerctl diagnose a --force"}}`)}})
		d.run(t, "diagnose", "a").want(t, 0, "429, 9 bytes",
			"a was not probed: wait; or: providerctl diagnose a --force\nproviderctl: this is the last probe:\n")
	})
	t.Run("UnknownProvider", func(t *testing.T) {
		d := startDaemon(t, map[string][]reply{diagnoseA: {refused(404, unknownID)}})
		d.run(t, "diagnose", "a").want(t, 5, "", "no such provider")
	})
	t.Run("JSONIsTheReplyAsItCame", func(t *testing.T) {
		late := `{"id":"a","of_the_future":1,"error":{"code":"timed_out","message":"late"}}`
		d := startDaemon(t, map[string][]reply{diagnoseA: {refused(504, late)}})
		d.run(t, "diagnose", "a", "-o", "json").want(t, 6, late+"\n", "late")
	})
}

func TestDiagnose_Verdict(t *testing.T) {
	for name, tc := range map[string]struct{ verdict, out string }{
		"InDoubt": {`"state":"RUNNING","reason":"ok","saw":"hung","doubts":1,"fall":2,"detail":"in doubt (1 of 2): hung"`,
			"  rule    connected, then silence until the timeout; or, on this machine, a connection neither accepted nor refused; or an engine that makes no progress with its requests → hung\n" +
				"  weight  doubtful: 1 of 2 in a row, so it stays RUNNING (ok)\n  detail  in doubt (1 of 2): hung\n"},
		"Confirmed": {`"state":"DEGRADED","reason":"hung","saw":"hung","doubts":2,"fall":2`,
			"with its requests → hung\n  weight  doubtful: 2 of 2 in a row\n"},
		"JudgedByTheFacts": {`"state":"DEGRADED","reason":"no_models","saw":"ok","definite":true,"fall":2`,
			"  rule    the answer that this kind promises → ok\n  then    up, but it lists no model → no_models\n  weight  definite"},
		"Recovering": {`"state":"ERROR","reason":"hung","saw":"ok","definite":true,"fall":2,"detail":"recovering (1 of 2 good answers)"`,
			"→ ok\n  weight  good, but not often enough in a row, so it stays ERROR (hung)\n"},
		"HintWithoutTheWayHere": {`"state":"ERROR","reason":"tls_failure","saw":"tls_failure","definite":true,"hint":"renew it; see: providerctl diagnose a"`,
			"  hint    renew it\n"},
		"OfTheFuture": {`"state":"ERROR","reason":"moonquake","saw":"moonquake","definite":true`, "  rule    moonquake → moonquake\n"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{diagnoseA: {ok(`{"id":"a","verdict":{` + tc.verdict + `}}`)}})
			d.run(t, "diagnose", "a").want(t, 0, tc.out, "")
		})
	}
}

// A report for an issue has text from a server, which can be anything.
func TestDiagnose_Markdown(t *testing.T) {
	hostile := `{"id":"a","kind":"http","endpoint":"http://h/a|b","began_at":"2026-01-02T03:04:05.678Z","took_ms":3,
		"requests":[{"method":"GET","url":"http://h/","status":500,"headers":{"Server":"<img src=x>"},"body_bytes":99,"took_ms":3,
			"body_start":"` + "````" + `\n<script>|@somebody\u001b[2J"}],
		"verdict":{"state":"DEGRADED","reason":"server_error","saw":"server_error","detail":"` + "``x`` | <b>@somebody" + `","doubts":2,"fall":2}}`
	d := startDaemon(t, map[string][]reply{diagnoseA: {ok(hostile)}, "GET /api/daemon": {ok(`{"version":"v9","socket":"/secret/place"}`)}})
	got := d.run(t, "diagnose", "a", "-o", "markdown")
	want := "## `a` (`http`) is `DEGRADED (server_error)`\n\n" +
		"Probed at 2026-01-02 03:04:05 UTC in 3.0 ms.\n\n" +
		"| layer | what was seen | took |\n|---|---|---:|\n" +
		"| endpoint | `http://h/a\\|b` |  |\n" +
		"| request | `GET http://h/` → `500, 99 bytes` | 3.0 ms |\n" +
		"| verdict | `DEGRADED (server_error)` |  |\n" +
		"| rule | `" + provider.Seen(provider.ServerError) + " → server_error` |  |\n" +
		"| weight | `doubtful: 2 of 2 in a row` |  |\n" +
		"| detail | ``` ``x`` \\| <b>@somebody ``` |  |\n" +
		"\n`GET http://h/` was answered:\n\n" +
		"`````text\n500, 99 bytes\nServer: <img src=x>\n\n````\\n<script>|@somebody\\x1b[2J\n`````\n" +
		"\nproviderd `v9`, providerctl `v1.2.3`, " + runtime.GOOS + "/" + runtime.GOARCH + "\n"
	if diff := cmp.Diff(want, got.out); diff != "" || got.code != 0 {
		t.Error(got.code, got.err, diff)
	}
	t.Run("WithoutWhatIsNotKnown", func(t *testing.T) {
		d := startDaemon(t, map[string][]reply{diagnoseA: {ok(`{"id":"a","kind":"http"}`)}})
		out := d.run(t, "diagnose", "a", "-o", "markdown").out
		if !strings.Contains(out, "Not probed since the daemon started.") || !strings.Contains(out, "providerd `unknown`") {
			t.Error(out)
		}
	})
}

func TestDiagnose_Feed(t *testing.T) {
	const began = `{"id":"a","began_at":"2026-01-02T03:04:05.678Z","feed":`
	for name, tc := range map[string]struct{ feed, out string }{
		"Outage": {`{"url":"https://status.h/summary.json","format":"statuspage","polled_at":"2020-01-01T00:00:00Z","read_at":"2020-01-01T00:00:00Z","took_ms":12,
			"status":200,"impact":"major","components":[{"name":"API","word":"partial_outage","impact":"major"}],"unassigned":["Chat is down"]}`,
			"feed      https://status.h/summary.json (statuspage)\n  answer  200, TIME ago (12 ms)\n" +
				"  says    API: partial_outage → major\n  other   Chat is down (of no component)\n  impact  major\nverdict"},
		"Failing": {`{"url":"https://status.h/","format":"rss","polled_at":"2020-01-01T00:00:00Z","read_at":"2020-01-01T00:00:00Z","took_ms":12,
			"status":500,"impact":"unknown","missing":["API","Batch"],"error":"it answers 500"}`,
			"  answer  500, TIME ago (12 ms): it answers 500; last read TIME ago\n  lacks   API, Batch\n  impact  unknown\n"},
		"NotPolled": {`{"url":"https://status.h/","format":"rss","took_ms":0,"impact":"unknown"}`, "  answer  not polled yet\n"},
		"Hostile": {`{"url":"https://h/","format":"rss","took_ms":0,"impact":"minor","components":[{"name":"A\u001b[2J","word":"\u202e","impact":"minor"}]}`,
			`  says    A\x1b[2J: \u202e → minor` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{diagnoseA: {ok(began + tc.feed + `,"verdict":{"state":"RUNNING","reason":"ok"}}`)}})
			out := regexp.MustCompile(`[0-9]+[smhd] ago`).ReplaceAllString(d.run(t, "diagnose", "a").out, "TIME ago")
			if !strings.Contains(out, tc.out) {
				t.Errorf("got:\n%swant in it:\n%s", out, tc.out)
			}
		})
	}
	t.Run("Markdown", func(t *testing.T) {
		d := startDaemon(t, map[string][]reply{diagnoseA: {ok(began + `{"url":"https://h/","format":"rss","took_ms":0,"impact":"minor",
			"components":[{"name":"a|b","word":"<b>","impact":"minor"}]}}`)}, "GET /api/daemon": {ok(`{"version":"v9"}`)}})
		if out := d.run(t, "diagnose", "a", "-o", "markdown").out; !strings.Contains(out, "| says | `a\\|b: <b> → minor` |  |\n") {
			t.Error(out)
		}
	})
}
