package ctl_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// limitsReply is a status of providers with those limits, each a provider's JSON.
func limitsReply(limits ...string) reply {
	now := time.Now().UTC()
	var rows []string
	for i, l := range limits {
		more := ""
		if l != "" {
			more = `,"limits":[` + l + `]`
		}
		rows = append(rows, fmt.Sprintf(`{"id":"p%d","kind":"groq","type":"cloud","state":"RUNNING","reason":"ok","ttl_ms":60000,"stale":false%s}`, i, more))
	}
	return ok(fmt.Sprintf(`{"ts":%q,"providers":[%s]}`, stampOf(now), strings.Join(rows, ",")))
}

func stampOf(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// spent is a limit that is used up until then; zero: nobody knows until when.
func spent(wait time.Duration) string {
	resets := ""
	if wait != 0 {
		resets = fmt.Sprintf(`,"resets_at":%q`, stampOf(time.Now().Add(wait)))
	}
	return fmt.Sprintf(`{"name":"requests","remaining":0,"limit":50%s,"source":"report","at":%q}`, resets, stampOf(time.Now()))
}

const statusRoute = "GET /api/providers/status"

// What is left is readable at a glance, and what is reset since is not shown.
func TestLimits(t *testing.T) {
	left := fmt.Sprintf(`{"name":"tokens","remaining":149984,"limit":150000,"resets_at":%q,"source":"probe","by":"uid 1000","at":%q}`,
		stampOf(time.Now().Add(5*time.Minute+30*time.Second)), stampOf(time.Now()))
	d := startDaemon(t, map[string][]reply{statusRoute: {limitsReply(spent(59*time.Minute+30*time.Second)+","+left, spent(-time.Minute), "")}})
	r := d.run(t, "limits")
	r.want(t, 0, "p0        requests  used up", "")
	for _, part := range []string{"in 59m, at ", "149984  150000  99.98%", "in 5m, at ", "probe by uid 1000, 0s ago"} {
		if !strings.Contains(r.out, part) {
			t.Errorf("%q is missing in:\n%s", part, r.out)
		}
	}
	if strings.Contains(r.out, "p1") || strings.Contains(r.out, "p2") {
		t.Errorf("nothing is known of these:\n%s", r.out)
	}
	d.run(t, "limits", "-o", "json").want(t, 0, `[{"id":"p0","used_up":true,"limits":[{"name":"requests","remaining":0,`, "")
	d.run(t, "status", "-o", "wide").want(t, 0, "no requests, reset in 59m", "")

	d = startDaemon(t, map[string][]reply{statusRoute: {limitsReply("", "")}})
	d.run(t, "limits").want(t, 1, "", "no limit is known")
	d.run(t, "limits", "-o", "json").want(t, 1, `[{"id":"p0","used_up":false,"limits":[]},`, "no limit is known")
	if r := d.run(t, "status", "-o", "wide"); strings.Contains(r.out, "LEFT") {
		t.Errorf("a column of nothing:\n%s", r.out)
	}
}

// A provider that has used up a limit is the last choice, with the reason; of several, the one
// that is reset first.
func TestPick_AvoidsWhatIsUsedUp(t *testing.T) {
	for name, tt := range map[string]struct {
		rows        reply
		picks, says string
	}{
		"AnotherIsLeft":  {limitsReply(spent(time.Hour), ""), "p1\n", ""},
		"NoneIsLeft":     {limitsReply(spent(time.Hour), spent(0), spent(time.Minute)), "p2\n", "p2: its limit of requests is used up until 20"},
		"ItIsResetSince": {limitsReply(spent(-time.Second), ""), "p0\n", ""},
		"NobodyKnows":    {limitsReply(spent(0)), "p0\n", "p0: its limit of requests is used up; no other provider can be used now"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{statusRoute: {tt.rows}})
			r := d.run(t, "pick")
			if r.want(t, 0, tt.picks, tt.says); tt.says == "" && r.err != "" || r.out != tt.picks {
				t.Errorf("%q %q", r.out, r.err)
			}
			d.run(t, "pick", "-o", "json").want(t, 0, `"id":"`+strings.TrimSpace(tt.picks), tt.says)
			if why := d.run(t, "pick", "-o", "json").out; strings.Contains(why, "the last choice: its limit of requests is used up") != (tt.says != "") {
				t.Errorf("why: %s", why)
			}
		})
	}
}
