package top_test

import (
	"context"
	"testing"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/top"
	"github.com/providerd/providerd/ctl/units"
	"github.com/providerd/providerd/store/provider"
)

// A result is how an action ends.
type result struct {
	report *ctl.ActionReport
	err    error
}

// acts carries out actions as a test says.
func acts(asked chan ctl.Action, end chan result) func(*top.Options) {
	return func(o *top.Options) {
		o.Act = func(ctx context.Context, what ctl.Action) (*ctl.ActionReport, error) {
			what.Step("waiting for " + what.ID)
			asked <- what
			select {
			case r := <-end:
				return r.report, r.err
			case <-ctx.Done():
				return &ctl.ActionReport{}, ctx.Err()
			}
		}
	}
}

func hasUnit(s provider.Status) provider.Status {
	s.Client = &provider.Client{Unit: s.ID + ".service", Bus: "system"}
	return s
}

// Keys start, stop and restart the unit of a provider. Stop and restart ask first.
func TestRun_ActsOnUnits(t *testing.T) {
	asked, end := make(chan ctl.Action, 1), make(chan result)
	s := show(t, startDaemon(t, hasUnit(isUp("ollama")), isDown("gpu1")), 120, 30, acts(asked, end))
	s.await(`> ollama`, `s start  x stop  X restart`)

	s.press("x")
	s.await(`^stop ollama\.service, which serves ollama\? y: yes; any other key: no`)
	s.press("n")
	s.await(`^ollama was left alone`)
	s.press("X", enter)
	s.await(`^ollama was left alone`)
	s.press("x", "y")
	s.await(`^stop ollama: waiting for ollama…`)
	if what := <-asked; what.ID != "ollama" || what.Verb != units.Stop || what.Terminal != nil {
		t.Errorf("asked for %+v", what)
	}
	s.press("s")
	s.await(`^stop of ollama\.service is in progress; one at a time`)
	s.press("j")
	s.await(`> gpu1`, `!s start`, `^stop ollama: waiting for ollama… \d`) // once the other is read
	s.press("s")
	s.await(`^start: no unit is configured for gpu1; add unit = `)
	end <- result{report: &ctl.ActionReport{Result: "ollama is STOPPED (connection_refused)"}}
	s.await(`^ollama is STOPPED`)
	if len(asked) > 0 {
		t.Error("it was asked twice")
	}
}

// A failure shows the hint, and the card the journal, without what would change the terminal.
func TestRun_ShowsTheJournalOfAUnitThatFailed(t *testing.T) {
	asked, end := make(chan ctl.Action, 1), make(chan result)
	s := show(t, startDaemon(t, hasUnit(isDown("ollama"))), 40, 24, acts(asked, end))
	s.await(`> ollama`)
	s.press("s")
	<-asked
	end <- result{&ctl.ActionReport{Unit: "ollama.service", Journal: []string{"no \x1b[31mmodel"}},
		provider.Errorf("", "see: journalctl", "ollama.service did not start")}
	s.await(`(?s)start ollama: ollama\.service did not.*start; see: journalctl; Enter shows the.*journal`)
	s.press(enter)
	s.await(`^● ollama`, `^start: ollama\.service did not start;`, `^the journal of ollama\.service:`, `no \\x1b\[31mmodel`)
	s.press("s")
	<-asked
	s.await(`!the journal of`)
}

// A card shows who did what may have caused a change.
func TestRun_ShowsTheActionOfAnEvent(t *testing.T) {
	d := startDaemon(t, isDown("ollama"))
	d.replies["GET /api/providers/ollama/history"] = reply{200, `{"id":"ollama","transitions":[{"seq":1,"id":"ollama","from":"RUNNING","to":"STOPPED","reason":"connection_refused","detail":"refused","action":{"name":"stop","by":"uid 1000"}}]}`}
	s := show(t, d, 120, 40)
	s.await(`> ollama`)
	s.press(enter)
	s.await(`RUNNING → STOPPED +connection_refused +refused, after stop by uid 1000`)
}
