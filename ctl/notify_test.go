package ctl_test

import (
	"strings"
	"testing"
	"time"
)

const (
	sinks = `{"sinks":[{"id":"phone","kind":"ntfy","sent":3,"refused":1,"sent_at":"2026-01-02T03:04:05.000Z","waiting":1,"dead":1,"open":["gpu1"],` +
		`"messages":[{"id":"msg_1","type":"opened","about":["gpu2"],"made_at":"2026-01-02T03:04:05.000Z","tries":0,"dead":"404 Not Found"},` +
		`{"id":"msg_2","type":"digest","about":["a","b"],"made_at":"2026-01-02T03:04:05.000Z","tries":0}]}],"maintenance":[]}`
	undelivered = `{"error":{"code":"undelivered","message":"phone: 404 Not Found","hint":"correct it"}}`
)

func TestNotify(t *testing.T) {
	maintained := `{"maintenance":[{"id":"gpu1","since":"2026-01-02T03:04:05.000Z","until":"2999-01-02T03:04:05.000Z","by":"uid 7"},{"id":"gpu2","until":"2999-01-02T03:04:05.000Z"}]}`
	for name, tc := range map[string]struct {
		args     string
		request  string
		reply    reply
		code     int
		out, err string
	}{
		"List":        {"notify list", "GET /api/notify", ok(sinks), 0, "phone  ntfy     3        1     1", ""},
		"ListMessage": {"notify list", "GET /api/notify", ok(sinks), 0, "given up  404 Not Found", ""},
		"ListMany": {
			"notify list", "GET /api/notify", ok(strings.Replace(sinks, `["a","b"]`, `["a","b","c","d","e"]`, 1)), 0, "a, b, c and 2 more", "",
		},
		"ListNone":  {"notify list", "GET /api/notify", ok(`{"sinks":[],"maintenance":[]}`), 0, "", "nobody is told: the configuration has no [[notify]]"},
		"ListJSON":  {"notify list -o json", "GET /api/notify", ok(`{"of_the_future":1}` + "\n"), 0, `{"of_the_future":1}` + "\n", ""},
		"Test":      {"notify test phone", "POST /api/notify/phone/test", ok(`{"id":"phone","status":"delivered"}`), 0, "phone accepted the test message\n", ""},
		"TestFails": {"notify test phone", "POST /api/notify/phone/test", refused(502, undelivered), 1, "", "providerctl: phone: 404 Not Found\nproviderctl: hint: correct it\n"},
		"TestNobody": {
			"notify test nope", "POST /api/notify/nope/test", refused(404, `{"error":{"code":"unknown_sink","message":"no such sink"}}`), 5, "", "no such sink",
		},
		"Retry":    {"notify retry phone", "POST /api/notify/phone/retry", ok(`{"id":"phone","status":"retrying","messages":1}`), 0, "phone: 1 message sent again now\n", ""},
		"Drop":     {"notify drop phone m1 m2", `POST /api/notify/phone/drop {"messages":["m1","m2"]}`, ok(`{"id":"phone","status":"dropped","messages":2}`), 0, "phone: 2 messages dropped\n", ""},
		"DropNone": {"notify drop phone", "POST /api/notify/phone/drop", ok(`{"id":"phone","status":"dropped"}`), 0, "", "no message of phone was given up"},
		"Complete": {"__complete notify test p", "GET /api/notify", ok(sinks), 0, "phone\tntfy\n", "NoFileComp"},
		"CompleteMessages": {
			"__complete notify drop phone m", "GET /api/notify", ok(sinks), 0, "msg_1\topened gpu2\nmsg_2\tdigest a b\n", "NoFileComp",
		},
		"Until": {
			"maintenance gpu1 gpu2 --until 2999-01-01T00:00:00Z", "", reply{}, 2, "", "maintenance: it can last a year at most",
		},
		"MaintenanceList":     {"maintenance list", "GET /api/maintenance", ok(maintained), 0, "configuration", ""},
		"MaintenanceListNone": {"maintenance list", "GET /api/maintenance", ok(`{"maintenance":[]}`), 0, "", "no provider is in maintenance"},
		"MaintenanceEnd": {
			"maintenance end gpu1", "DELETE /api/maintenance?provider_id=gpu1", ok(`{"maintenance":[],"ended":["gpu1"]}`), 0, "maintenance of gpu1 has ended\n", "",
		},
		"MaintenanceEndAll": {
			"maintenance end --all", "DELETE /api/maintenance", ok(maintained), 0, "", "gpu2 is still in maintenance until 2999-01-02 03:05, by the configuration",
		},
		"MaintenanceEndNone": {"maintenance end gpu1", "DELETE /api/maintenance?provider_id=gpu1", ok(`{"maintenance":[]}`), 0, "", "no maintenance was announced"},
		"CompleteEnd":        {"__complete maintenance end g", "GET /api/maintenance", ok(maintained), 0, "gpu1\tuntil 2999-01-02 03:05\n", "NoFileComp"},
		"StatusMarks": {
			"status", "GET /api/providers/status",
			ok(`{"ts":"2026-01-02T03:04:05.000Z","seq":3,"providers":[` + ollamaUp + `],"maintenance":[{"id":"ollama","until":"2026-01-02T05:00:00.000Z"},{"id":"other","until":"2999-01-02T05:00:00.000Z"}]}`),
			0, "\n\nin maintenance: ollama until 05:00\n", "",
		},
		"StatusMarksNoneThatIsOver": {
			"status", "GET /api/providers/status",
			ok(`{"ts":"2026-01-02T03:04:05.000Z","seq":3,"providers":[` + ollamaUp + `],"maintenance":[{"id":"ollama","until":"2026-01-02T03:00:00.000Z"}]}`),
			0, "AGE\nollama  RUNNING  ok       1.2 ms  1s\n", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{tc.request: {tc.reply}})
			d.run(t, strings.Fields(tc.args)...).want(t, tc.code, tc.out, tc.err)
		})
	}
}

// The end is sent as a time, which a daemon with a slow client understands, too.
func TestMaintenance_SendsWhenItEnds(t *testing.T) {
	for _, how := range []string{"--for 90m", "--until " + time.Now().Add(90*time.Minute).Format(time.RFC3339)} {
		d := startDaemon(t, nil)
		d.run(t, strings.Fields("maintenance gpu1 "+how)...)
		asked := d.requests()
		if len(asked) != 1 || !strings.HasPrefix(asked[0], `POST /api/maintenance {"provider_id":["gpu1"],"until":"`) {
			t.Fatalf("%q", asked)
		}
		_, at, _ := strings.Cut(asked[0], `"until":"`)
		until, err := time.Parse(time.RFC3339, strings.TrimSuffix(at, `"}`))
		if left := time.Until(until); err != nil || left > 90*time.Minute || left < 80*time.Minute {
			t.Errorf("%s: %s, %v", how, at, err)
		}
	}
}

func TestMaintenance_Misused(t *testing.T) {
	for args, says := range map[string]string{
		"maintenance gpu1":                    "maintenance: give --for or --until\nproviderctl: hint: for example: providerctl maintenance gpu1 --for 2h",
		"maintenance gpu1 --for 1h --until x": "maintenance: give --for or --until",
		"maintenance gpu1 --for soon":         "maintenance: --for cannot be \"soon\"\nproviderctl: hint: for example: --for 30m",
		"maintenance gpu1 --for 0s":           "maintenance: --for cannot be",
		"maintenance gpu1 --until never":      "maintenance: --until cannot be \"never\"",
		"maintenance gpu1 --until 2020-01-01": "is over already",
		"maintenance":                         "an argument is missing",
		"maintenance gpu1 --fro 2h":           "did you mean: --for",
		"maintenance end":                     "or for all: providerctl maintenance end --all",
		"maintenance end a --all":             "end: --all and the ID \"a\"",
		"notify lst":                          "did you mean: providerctl notify list",
		"notify test":                         "an argument is missing",
	} {
		t.Run(args, func(t *testing.T) { run(t.Context(), strings.Fields(args)...).want(t, 2, "", says) })
	}
}
