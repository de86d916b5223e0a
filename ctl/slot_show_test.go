package ctl_test

import (
	"strings"
	"testing"
	"time"
)

// How slots stand is shown for one provider with the users, and for all that have some.
func TestSlot_Shows(t *testing.T) {
	a := `{"provider_id":"a","total":2,"gap_ms":250,"used":2,"free":0,"waiting":4`
	b := `{"provider_id":"b","total":1,"used":0,"free":0,"waiting":0,"closed":"it is paused"}`
	since := stampOf(time.Now().Add(-5 * time.Minute))
	one := a + `,"holders":[{"slot":1,"by":"uid 1000","since":"` + since + `"},{"slot":2,"by":"an unknown user","since":"` + since + `"}],"waiters":[{"by":"uid 1001","waiting":1},{"by":"uid 1000","waiting":3}]}`
	providers := `{"ts":"` + stampOf(time.Now()) + `","providers":[` + row("a", "vllm", "local", "RUNNING", "ok", "1", "") + `,` + row("b", "vllm", "local", "STOPPED", "paused", "1", `,"paused":true`) + `,` + row("c", "vllm", "local", "RUNNING", "ok", "1", "") + `]`
	d := startDaemon(t, map[string][]reply{
		"GET /api/providers/a/slots": {ok(one)},
		"GET /api/providers/status":  {ok(providers + `,"slots":[` + a + `},` + b + `]}`)},
	})
	r := d.run(t, "slot", "a")
	want := "a: 2 of 2 slots used, 4 waiting, one begins every 250ms\n  slot 1: uid 1000, taken 5m ago\n  slot 2: an unknown user, taken 5m ago\n  next: uid 1001, uid 1000 (3)\n"
	if r.want(t, 0, want, ""); r.out != want {
		t.Errorf("%s", r.out)
	}
	d.run(t, "slot", "a", "-o", "json").want(t, 0, `"holders":[{"slot":1,"by":"uid 1000"`, "")
	r = d.run(t, "slot")
	want = "PROVIDER USED OF WAITING GAP CLOSED; a 2 2 4 250ms -; b 0 1 0 - it is paused; "
	got := ""
	for line := range strings.Lines(r.out) {
		got += strings.Join(strings.Fields(line), " ") + "; "
	}
	if r.code != 0 || got != want {
		t.Errorf("%d: %s", r.code, got)
	}
	d.run(t, "slot", "-o", "json").want(t, 0, `[{"provider_id":"a","total":2,`, "")
	d.run(t, "slot", "a", "-o", "json", "--", "prog").want(t, 2, "", "leave -o out, or the program")
	r = d.run(t, "status", "-o", "wide")
	for _, part := range []string{"SLOTS", "2/2 +4", "0/1"} {
		if !strings.Contains(r.out, part) {
			t.Errorf("%s is missing in\n%s", part, r.out)
		}
	}
	d = startDaemon(t, map[string][]reply{"GET /api/providers/status": {ok(providers + `}`)}})
	d.run(t, "slot").want(t, 1, "", "no provider has slots in the configuration")
	if r := d.run(t, "status", "-o", "wide"); strings.Contains(r.out, "SLOTS") {
		t.Errorf("a column of nothing:\n%s", r.out)
	}
}
