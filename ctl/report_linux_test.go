package ctl_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl"
)

// A report on a screen says how to take it back, unless that is what it did.
func TestTerminal_ReportAndHowToTakeItBack(t *testing.T) {
	for after, hinted := range map[time.Duration]bool{time.Minute: true, time.Second: false} {
		row := fmt.Sprintf(`{"id":"a","state":"DEGRADED","reason":"rate_limited","source":"report","retry_at":%q}`,
			time.Now().Add(after).UTC().Format("2006-01-02T15:04:05.000Z"))
		route := fmt.Sprintf(`POST /api/providers/a/report {"status":429,"retry_after":%q}`, after)
		d := startDaemon(t, map[string][]reply{route: {ok(row)}})
		screen, _ := openTerminal(t, 120, 24)
		var said strings.Builder
		code := ctl.Main(t.Context(), ctl.Env{
			Args:  []string{"--socket", d.socket, "report", "a", "--status", "429", "--retry-after", after.String()},
			Stdin: strings.NewReader(""), Stdout: screen, Stderr: &said, Getenv: environment(nil),
		})
		if code != 0 || strings.Contains(said.String(), "take it back") != hinted {
			t.Errorf("after %s: exit code %d, want a hint: %t: %s", after, code, hinted, &said)
		}
	}
}
