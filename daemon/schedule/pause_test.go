package schedule

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

func TestSchedule_Pause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.apply(settings("a"))
		w.run()
		time.Sleep(time.Second)
		if err := w.SetPaused("a", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if st := w.row("a"); !st.Paused || st.Reason != provider.Paused || st.State != provider.StateRunning {
			t.Errorf("%+v", st)
		}
		before := len(w.probes("a"))
		if a := w.Refresh(nil, true); len(a.Skipped) != 1 || a.Skipped[0].Reason != provider.Paused {
			t.Errorf("%+v", a)
		}
		w.Ensure(nil, 0)
		time.Sleep(time.Hour)
		if n := len(w.probes("a")); n != before {
			t.Errorf("%d probes while paused", n-before)
		}
		if err := w.SetPaused("a", false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if st := w.row("a"); st.Paused || st.Reason != provider.OK {
			t.Errorf("%+v", st)
		}
		var unknown *provider.Error
		if err := w.SetPaused("b", true); !errors.As(err, &unknown) || unknown.Code != provider.UnknownProvider {
			t.Errorf("%v", err)
		}
	})
}

// A pause and a resume during one slow probe leave neither a lost probe nor two.
func TestSchedule_PauseAndResumeDuringAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", silence(1500*time.Millisecond))
		w.apply(settings("a"))
		w.run()
		synctest.Wait()
		_ = w.SetPaused("a", true)
		_ = w.SetPaused("a", false)
		time.Sleep(10 * time.Second)
		if st := w.row("a"); st.Reason != provider.Hung || len(w.probes("a")) < 3 {
			t.Errorf("%d probes, %s", len(w.probes("a")), st.Reason)
		}
	})
}

// The first sweep does not wait for a provider that is not probed.
func TestSchedule_PauseDuringTheFirstSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", silence(time.Hour))
		w.apply(settings("a"))
		w.run()
		synctest.Wait()
		_ = w.SetPaused("a", true)
		select {
		case <-w.Swept():
		case <-time.After(time.Second):
			t.Error("the first sweep never ends")
		}
	})
}

// A provider that is not probed has no open connection, whether or not the pause came during a probe;
// nor has a provider that a reload removes.
func TestSchedule_NoConnectionIsLeftBehind(t *testing.T) {
	for name, leave := range map[string]func(w *harness){
		"Pause":  func(w *harness) { _ = w.SetPaused("a", true) },
		"Remove": func(w *harness) { w.apply(settings("b")) },
		"Replace": func(w *harness) {
			p := settings("a")
			p.BaseURL, p.Interval = "http://127.0.0.1:2", time.Hour
			w.apply(p)
		},
	} {
		for when, wait := range map[string]time.Duration{"AtRest": 3 * time.Second, "DuringAProbe": 500 * time.Millisecond} {
			t.Run(name+when, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newHarness(t, Options{})
					w.play("a", func(context.Context, int) probe.Observation { // too busy to be cut short
						time.Sleep(time.Second)
						return probe.Observation{Saw: provider.OK, Latency: time.Second}
					})
					w.apply(settings("a"))
					w.run()
					time.Sleep(wait)
					if kept := w.keeps("a"); kept != (when == "AtRest") {
						t.Fatalf("kept: %t", kept)
					}
					leave(w)
					if when == "DuringAProbe" {
						time.Sleep(600 * time.Millisecond)
					}
					if w.keeps("a") {
						t.Error("its connection is kept")
					}
				})
			})
		}
	}
}
