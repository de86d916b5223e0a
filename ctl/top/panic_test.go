package top_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gdamore/tcell/v3/vt"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/top"
)

// A panic, also of another goroutine than the screen's, is to be read on a screen that was
// given back.
func TestRun_PanicGivesTheScreenBack(t *testing.T) {
	d := startDaemon(t, isDown("gpu1"))
	boom := func(string) string { panic("boom") }
	for name, opts := range map[string]top.Options{
		"OfTheScreen": {Client: &client.Client{Socket: d.socket}, Spell: boom},
		"OfAnother":   {Client: &client.Client{Getenv: boom}},
	} {
		t.Run(name, func(t *testing.T) {
			term := &spy{MockTerm: vt.NewMockTerm(vt.MockOptSize{X: 80, Y: 24})}
			var err error
			if opts.Screen, err = top.ScreenOn(term, false); err != nil {
				t.Fatal(err)
			}
			defer func() {
				written := term.bytes()
				if reason := fmt.Sprint(recover()); !strings.Contains(reason, "boom") || !strings.Contains(written, "\x1b[?1049l") || !strings.Contains(written, "\x1b[?25h") {
					t.Errorf("it ended with %.40q, and the screen with %q", reason, written[max(0, len(written)-80):])
				}
			}()
			err = top.Run(t.Context(), opts)
			t.Errorf("it ended without a panic: %v", err)
		})
	}
}
