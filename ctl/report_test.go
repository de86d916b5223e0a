package ctl_test

import (
	"context"
	"testing"
)

// A user's reports that come faster than one a second wait for their turn: a script that
// meets one limit after another need not know.
func TestReport_InTurn(t *testing.T) {
	const route = `POST /api/providers/a/report {"status":429}`
	busy := refused(503, `{"error":{"code":"too_many","message":"one report a second is taken from each user"}}`)
	taken := ok(`{"id":"a","state":"RUNNING","reason":"ok"}`)
	for args, out := range map[string]string{"": "a is RUNNING", " -o json": `"state":"RUNNING"`} {
		t.Run("Report"+args, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, map[string][]reply{route: {busy, taken}})
			words := []string{"report", "a", "--status", "429"}
			if args != "" {
				words = append(words, "-o", "json")
			}
			d.run(t, words...).want(t, 0, out, "")
			if n := len(d.requests()); n != 2 {
				t.Errorf("%d requests", n)
			}
		})
	}
	t.Run("Interrupted", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, map[string][]reply{route: {busy}})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan result, 1)
		go func() { done <- run(ctx, "--socket", d.socket, "report", "a", "--status", "429") }()
		d.awaitRequest(t)
		d.awaitRequest(t) // it is waiting, or will be
		cancel()
		(<-done).want(t, 130, "", "")
	})
}
