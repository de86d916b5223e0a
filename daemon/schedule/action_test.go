package schedule

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// owned are the settings of a provider whose unit systemd owns.
func owned(id string) config.Provider {
	p := settings(id)
	p.Unit, p.Fall = id+".service", 1
	return p
}

// note says that a user asks systemd for something.
func (w *harness) note(id, action, phase, by string, admin bool) {
	w.t.Helper()
	if err := w.Act(id, provider.ActionNote{Action: action, Phase: phase}, by, admin); err != nil {
		w.t.Error(err)
	}
}

// turns makes a provider's server answer from now on, or not, and has it probed.
func (w *harness) turns(id string, up bool) {
	w.t.Helper()
	reason := provider.ConnectionRefused
	if up {
		reason = provider.OK
	}
	w.play(id, always(reason))
	w.Refresh([]string{id}, false)
	time.Sleep(2 * time.Second) // one probe a second
	synctest.Wait()
}

// blames fails the test unless the newest event is about this state, and has this action.
func (w *harness) blames(what string, to provider.State, action string) {
	w.t.Helper()
	events, err := w.store.Events(0, 0)
	if err != nil || len(events) == 0 {
		w.t.Fatalf("%s: %d events, %v", what, len(events), err)
	}
	e, got := events[len(events)-1], ""
	if e.Action != nil {
		got = e.Action.String()
	}
	if e.To != to || got != action {
		w.t.Errorf("%s: the event to %s has %q, want %s and %q", what, e.To, got, to, action)
	}
}

// running is a scheduler with one provider that is up, and whose unit systemd owns.
func running(t *testing.T) *harness {
	w := newHarness(t, Options{})
	w.play("a", always(provider.OK))
	w.apply(owned("a"))
	w.run()
	synctest.Wait()
	return w
}

// An action explains what can be its effect, for as long as that may take.
func TestAct_ExplainsWhatItCanHaveCaused(t *testing.T) {
	const up, down = provider.StateRunning, provider.StateStopped
	for name, c := range map[string]struct {
		action, phase string
		after         time.Duration
		up            bool // the server was down, and comes up
		want          string
	}{
		"AStopThatBegins":          {"stop", "begins", 2 * time.Minute, false, "after stop by uid 1000"},
		"AStopThatTakesTooLong":    {"stop", "begins", 3 * time.Minute, false, ""},
		"AStopThatIsDone":          {"stop", "done", 5 * time.Second, false, "after stop by uid 1000"},
		"AStopLongAgo":             {"stop", "done", 10 * time.Second, false, ""},
		"AStopThatFailed":          {"stop", "failed", 0, false, ""},
		"AStopMakesNothingUsable":  {"stop", "begins", 0, true, ""},
		"AStart":                   {"start", "done", time.Minute, true, "after start by uid 1000"},
		"AStartLongAgo":            {"start", "done", 2 * time.Minute, true, ""},
		"ARestartThatTakesItDown":  {"restart", "begins", 0, false, "after restart by uid 1000"},
		"ARestartThatTakesItAgain": {"restart", "done", time.Minute, true, "after restart by uid 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, to := running(t), down
				if c.up {
					w.turns("a", false)
					to = up
				}
				w.note("a", c.action, provider.ActionBegins, "uid 1000", false)
				if c.phase != provider.ActionBegins {
					w.note("a", c.action, c.phase, "uid 1000", false)
				}
				time.Sleep(c.after)
				w.turns("a", c.up)
				w.blames(name, to, c.want)
			})
		})
	}
}

// Only an administrator replaces what an administrator has begun. Others replace each other.
func TestAct_OnlyAdministratorsReplaceAnAdministrators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := running(t)
		w.note("a", "stop", "begins", "uid 0", true)
		w.note("a", "restart", "begins", "uid 1000", false)
		w.note("a", "restart", "failed", "uid 1000", false)
		w.turns("a", false)
		w.blames("what root has begun", provider.StateStopped, "after stop by uid 0")
		w.note("a", "start", "begins", "uid 7", true)
		w.turns("a", true)
		w.blames("another administrator", provider.StateRunning, "after start by uid 7")
		time.Sleep(3 * time.Minute)
		w.note("a", "restart", "begins", "uid 1000", false)
		w.note("a", "stop", "begins", "uid 1001", false)
		w.turns("a", false)
		w.blames("the last of others", provider.StateStopped, "after stop by uid 1001")
	})
}

// What an administrator has reported holds on, whatever anybody says to do with the unit.
func TestAct_LeavesAnAdministratorsReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := running(t)
		w.tell("a", limit60)
		w.note("a", "restart", "begins", "uid 1000", false)
		w.note("a", "restart", "done", "uid 1000", false)
		w.turns("a", true)
		w.shows("a", provider.StateDegraded, provider.RateLimited, provider.FromReport)
		w.blames("the report came before", provider.StateDegraded, "")
	})
}

// An action on a paused provider is noted. Nothing is probed until it is resumed.
func TestAct_OnAPausedProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := running(t)
		if err := w.SetPaused("a", true); err != nil {
			t.Fatal(err)
		}
		probes := len(w.probes("a"))
		w.note("a", "stop", "begins", "uid 0", true)
		w.turns("a", false)
		if n := len(w.probes("a")); n != probes {
			t.Errorf("%d probes of a paused provider", n-probes)
		}
		if row := w.row("a"); !row.Paused || row.State != provider.StateRunning {
			t.Errorf("%+v", row)
		}
		if err := w.SetPaused("a", false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		w.blames("once it is resumed", provider.StateStopped, "after stop by uid 0")
	})
}

// An action is refused for a provider that has no unit, or is unknown, and changes no row.
func TestAct_NeedsAUnit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := running(t)
		w.play("b", func(context.Context, int) probe.Observation { return probe.Observation{Saw: provider.OK} })
		w.apply(owned("a"), settings("b"))
		synctest.Wait()
		for id, want := range map[string]provider.Code{"b": provider.BadRequest, "c": provider.UnknownProvider} {
			var e *provider.Error
			if err := w.Act(id, provider.ActionNote{Action: "stop", Phase: "begins"}, "uid 0", true); !errors.As(err, &e) || e.Code != want || e.Hint == "" {
				t.Errorf("%s: %v", id, err)
			}
		}
		before := w.row("a")
		w.note("a", "stop", "done", "uid 0", true)
		synctest.Wait()
		if after := w.row("a"); after.State != before.State || after.Generation != before.Generation {
			t.Errorf("the word of a user changes the row: %+v", after)
		}
	})
}
