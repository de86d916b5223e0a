package ctl_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
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

// A watch shows the limits again after every change, and nothing while there is none. It outlives
// the daemon.
func TestLimits_Watch(t *testing.T) {
	left := func(n int) string {
		return fmt.Sprintf(`{"name":"tokens","remaining":%d,"limit":150000,"resets_at":%q,"source":"probe","at":%q}`, n, stampOf(time.Now().Add(time.Hour)), stampOf(time.Now()))
	}
	for name, tt := range map[string]struct {
		args []string
		want []string // in this order
		not  string
	}{
		"Table": {nil, []string{"p0        tokens", "149984", "\n\nPROVIDER", "p0        requests  used up"}, ""},
		"JSON":  {[]string{"-o", "json"}, []string{`[{"id":"p0","used_up":false,"limits":[{"name":"tokens","remaining":149984`, "}]\n" + `[{"id":"p0","used_up":true,"limits":[{"name":"requests","remaining":0`}, "PROVIDER"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, map[string][]reply{statusRoute: {limitsReply(left(149984)), limitsReply(left(149984)), limitsReply(spent(time.Hour))}})
			out, talk := newScreen(), newScreen()
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan int, 1)
			go func() {
				done <- ctl.Main(ctx, ctl.Env{
					Args:  append([]string{"--socket", d.socket, "limits", "--watch"}, tt.args...),
					Stdin: strings.NewReader(""), Stdout: out, Stderr: talk, Getenv: environment(nil),
				})
			}()
			out.await(t.Context(), t, "requests", 1)
			rest := out.String()
			for _, part := range tt.want {
				_, after, ok := strings.Cut(rest, part)
				if !ok {
					t.Fatalf("%q is missing, or too early, in:\n%s", part, out)
				}
				rest = after
			}
			if n := strings.Count(out.String(), "tokens"); n != 1 || tt.not != "" && strings.Contains(out.String(), tt.not) {
				t.Errorf("shown without a change:\n%s", out)
			}
			d.stop()
			talk.await(t.Context(), t, "waiting for the daemon to return", 1)
			d.mu.Lock()
			d.script[statusRoute] = []reply{limitsReply("")}
			d.mu.Unlock()
			d.start(t)
			if name == "JSON" {
				out.await(t.Context(), t, `"limits":[]`, 1)
			} else {
				talk.await(t.Context(), t, "no limit is known now", 1)
			}
			cancel()
			if code := <-done; code != 0 {
				t.Errorf("exit code %d: %s", code, talk)
			}
		})
	}
}

// The cards of status, top and the dashboard say what is left, with what is used up first, and
// leave out what is reset since.
func TestLimits_OnCards(t *testing.T) {
	number := func(n float64) *float64 { return &n }
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(d time.Duration) provider.Time { return provider.Time{Time: now.Add(d)} }
	s := provider.Status{ID: "groq", Kind: "groq", State: provider.StateRunning, Reason: provider.OK, Limits: &provider.Limits{
		{Name: "gone", Remaining: number(0), ResetsAt: at(-time.Second), At: at(-time.Minute)},
		{Name: "requests", Remaining: number(5), Limit: number(50), At: at(-time.Minute)},
		{Name: "tokens", Remaining: number(0), ResetsAt: at(90 * time.Second), At: at(-time.Minute), By: "uid 1000"},
	}}
	const want = "tokens: used up, reset in 1m (uid 1000); requests: 5 of 50"
	facts := ctl.Facts(&s, now)
	if i := slices.IndexFunc(facts, func(f [2]string) bool { return f[0] == "Left" }); i < 0 || facts[i][1] != want {
		t.Errorf("the dashboard has %q, want %q", facts, want)
	}
	card := ""
	for _, line := range ctl.CardLines(ctl.CardParts{Row: &s}, ctl.TableOptions{Width: 200, Now: now}) {
		for _, piece := range line.Pieces {
			card += piece.Text
		}
		card += "\n"
	}
	if !strings.Contains(card, "Left: "+want+"\n") {
		t.Errorf("the card of top lacks %q:\n%s", want, card)
	}
}
