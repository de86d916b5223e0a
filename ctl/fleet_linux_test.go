package ctl_test

import (
	"strings"
	"testing"

	"github.com/providerd/providerd/ctl"
)

func TestFleet_FitsTheScreen(t *testing.T) {
	long := gpu2(remote("a-very-long-name-of-a-server-that-somebody-chose", "STOPPED", "connection_refused", `,"hint":"start it with the command that is in the wiki"`))
	d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {rows(ollamaUp)}, "GET /api/fleet": {ok(inFleet("ok", long))}})
	for _, columns := range []uint16{40, 80, 120, 200} {
		for line, want := range map[string]string{"fleet": "gpu1 (here)", "fleet -o wide": "anthropic", "status --fleet": "STOPPED", "status --fleet -o wide": "STOPPED"} {
			got := onTerminal(t, d, columns, 60, map[string]string{"NO_COLOR": "1"}, strings.Fields(line)...).String()
			text := strings.TrimSuffix(strings.ReplaceAll(got, "\r\n", "\n"), "END")
			if !strings.Contains(text, want) {
				t.Errorf("%s at %d columns lacks %q:\n%s", line, columns, want, text)
			}
			checkWidth(t, text, ctl.TableOptions{Width: int(columns)})
		}
	}
}
