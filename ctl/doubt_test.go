package ctl_test

import (
	"strings"
	"testing"
)

// doubts are rows in doubt of every sort, from this daemon and, as words, from an older
// one that had no field for it.
var doubts = map[string]struct{ saw, words, field, older string }{
	"SeenOnce": {"hung", "in doubt (1 of 2): hung: no answer", `"detail":"as it was","doubt":{"saw":"hung","detail":"no answer","count":1,"of":2}`,
		`"detail":"in doubt (1 of 2): hung: no answer"`},
	"WhileOthersAreAsked": {"connect_timeout", "in doubt, while others are asked: connect_timeout: no answer", `"doubt":{"saw":"connect_timeout","detail":"no answer"}`,
		`"detail":"in doubt, while others are asked: connect_timeout: no answer"`},
	"Recovering": {"ok", "recovering (1 of 3 good answers)", `"doubt":{"saw":"ok","count":1,"of":3}`, `"detail":"recovering (1 of 3 good answers)"`},
}

func TestDoubt_IsShownByEveryCommand(t *testing.T) {
	for name, tc := range doubts {
		for sort, text := range map[string]string{"Field": tc.field, "OlderDaemon": tc.older} {
			t.Run(name+"/"+sort, func(t *testing.T) {
				row := `"id":"d","kind":"vllm","type":"local","state":"RUNNING","reason":"ok","latency_ms":2,` + text
				rows := `{"providers":[{` + row + `},{"id":"c","kind":"openai","type":"cloud","state":"RUNNING","reason":"ok","detail":"in doubt about nothing","latency_ms":9}]}`
				d := startDaemon(t, map[string][]reply{
					"GET /api/providers/status":               {ok(rows)},
					"GET /api/providers/status?provider_id=d": {ok(`{"providers":[{` + row + `}]}`)},
					"GET /api/events":                         {stream(`{"seq":1,"id":"d","from":"RUNNING","to":"RUNNING","reason":"probe_failed",` + text + `}`)},
					diagnoseA:                                 {ok(`{"id":"a","verdict":{"state":"RUNNING","reason":"ok","saw":"` + tc.saw + `","fall":2,"doubts":1,` + text + `}}`)},
				})
				d.run(t, "pick").want(t, 0, "c\n", "")
				d.run(t, "pick", "d", "-o", "json").want(t, 0, tc.words, "")
				table := d.run(t, "status")
				table.want(t, 0, " ok? ", "")
				if n := strings.Count(table.out, "?"); n != 1 {
					t.Errorf("%d rows are marked:\n%s", n, table.out)
				}
				d.run(t, "status", "-o", "wide").want(t, 0, tc.words, "")
				d.run(t, "diagnose", "a").want(t, 0, tc.words, "")
				d.run(t, "diagnose", "a").want(t, 0, "so it stays RUNNING (ok)", "")
				d.run(t, "events").want(t, 0, tc.words, "")
				d.run(t, "diagnose", "a", "-o", "markdown").want(t, 0, tc.words, "")
			})
		}
	}
}
