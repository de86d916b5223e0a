package schedule

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// within counts a provider's probes during a time in which its row must not be stale.
func (w *harness) within(id string, d time.Duration) int {
	w.t.Helper()
	before := len(w.probes(id))
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
		if st := w.store.View().Row(id).Current(time.Now()); st.Stale {
			w.t.Errorf("%s %s is stale", st.ID, st.Reason)
		}
	}
	return len(w.probes(id)) - before
}

func elsewhere(id string) config.Provider {
	p := settings(id)
	p.BaseURL, p.Endpoint = "http://gpu.example:1", "http://gpu.example:1"
	return p
}

// seen is how a probe sees a reason. Reasons that a probe never sees follow from facts.
func seen(reason provider.Reason) func(context.Context, int) probe.Observation {
	return func(context.Context, int) probe.Observation {
		o := probe.Observation{Saw: reason, Latency: time.Millisecond}
		switch reason {
		case provider.NoModels:
			o.Saw, o.Facts.Models = provider.OK, []provider.Model{}
		case provider.ModelMissing:
			o.Saw, o.Facts.Models = provider.OK, []provider.Model{{ID: "another"}}
		case provider.Slow:
			o.Saw, o.Latency = provider.OK, time.Minute
		case provider.Loading: // and says so, which is asked for each time
			o.Facts.Note = "it loads"
		}
		return o
	}
}

// Whatever lasts, no server is probed more often than while it runs. On this machine a server that is
// not running costs nothing, and is looked for all the time.
func TestPace_WhatLastsIsAskedRarely(t *testing.T) {
	const minutes = 20
	for _, m := range provider.Reasons {
		if m.Weight == "" || m.Reason == provider.Offline || m.Reason == provider.Paused {
			continue // no probe sees it
		}
		for name, p := range map[string]config.Provider{"here": settings("a"), "elsewhere": elsewhere("a"), "cloud": cloud("a")} {
			t.Run(string(m.Reason)+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newHarness(t, Options{})
					p.Models = []string{"wanted"}
					if m.Reason != provider.ModelMissing {
						p.Models = nil
					}
					w.play("a", seen(m.Reason))
					w.apply(p)
					w.run()
					time.Sleep(patience + 10*time.Second)
					probes, most := w.within("a", minutes*time.Minute), int(minutes*time.Minute/p.Interval)+1
					if m.Reason == provider.ConnectionRefused && name == "here" {
						if probes < int(minutes*time.Minute/fast)-1 {
							t.Errorf("looked for %d times in %d minutes", probes, minutes)
						}
					} else if probes == 0 && name != "cloud" || probes > most {
						t.Errorf("%d probes in %d minutes, want at most %d", probes, minutes, most)
					}
				})
			})
		}
	}
}

// passing are the reasons with the fast pace, so that their end is seen at once.
var passing = []provider.Reason{
	provider.NoModels, provider.ModelMissing, provider.Loading, provider.Hung, provider.ConnectionReset,
	provider.ServerError, provider.Overloaded, provider.NotRunning, provider.ShuttingDown,
}

// rested is a provider that has been in a state for long.
func rested(t *testing.T, reason provider.Reason) *harness {
	w := newHarness(t, Options{})
	p := settings("a")
	if reason == provider.ModelMissing {
		p.Models = []string{"wanted"}
	}
	w.play("a", seen(reason))
	w.apply(p)
	w.run()
	synctest.Wait() // the first probe
	if n := w.within("a", patience-fast); n < int((patience-2*fast)/fast) {
		t.Errorf("%s: %d probes at first", reason, n)
	}
	time.Sleep(time.Minute)
	if n := w.within("a", 10*time.Minute); n < 9 || n > 12 {
		t.Errorf("%s: %d probes in ten minutes", reason, n)
	}
	return w
}

// An address that worked before and answers 404 may be a load balancer whose server is down. It is
// probed at the fast pace for a while, so that its return is seen at once. One that never worked
// waits for a person.
func TestPace_AnotherProgramWhereItWasWell(t *testing.T) {
	for _, reason := range []provider.Reason{provider.WrongService, provider.BadResponse} {
		for name, was := range map[string]provider.Reason{"well before": provider.OK, "never well": reason} {
			t.Run(string(reason)+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newHarness(t, Options{})
					w.play("a", func(_ context.Context, n int) probe.Observation {
						o := seen(reason)(t.Context(), n)
						if n == 1 {
							o = seen(was)(t.Context(), n)
						}
						o.Refusal = o.Saw == provider.WrongService
						return o
					})
					w.apply(settings("a"))
					w.run()
					time.Sleep(settings("a").Interval + 3*fast)
					if got := w.store.View().Row("a").Status.Reason; got != reason {
						t.Fatalf("it is %s", got)
					}
					n := w.within("a", time.Minute)
					if was == provider.OK && n < 25 || was != provider.OK && n > 2 {
						t.Errorf("%d probes in the first minute", n)
					}
					time.Sleep(patience)
					if n := w.within("a", 10*time.Minute); n < 9 || n > 12 {
						t.Errorf("%d probes in ten minutes, when it has lasted", n)
					}
				})
			})
		}
	}
}

// A request for a young row restores the fast pace for something that lasts, for a while.
func TestPace_SomebodyWantsToKnow(t *testing.T) {
	for name, ask := range map[string]func(w *harness){
		"Refresh":  func(w *harness) { w.Refresh([]string{"a"}, false) },
		"Diagnose": func(w *harness) { w.Diagnose("a", false) },
		"MaxAge":   func(w *harness) { w.Ensure([]string{"a"}, time.Second) },
		"Report":   func(w *harness) { _ = w.Report("a", provider.Report{Status: 503}, "uid 1") },
	} {
		for _, reason := range passing {
			t.Run(name+"/"+string(reason), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := rested(t, reason)
					time.Sleep(20 * time.Second)
					ask(w)
					time.Sleep(time.Second)
					if n := w.within("a", patience-2*fast); n < int((patience-3*fast)/fast) {
						t.Errorf("%d probes in %s after it", n, patience)
					}
					time.Sleep(time.Minute)
					if n := w.within("a", 10*time.Minute); n > 12 {
						t.Errorf("%d probes in ten minutes long after it", n)
					}
				})
			})
		}
	}
}

// As long as somebody waits, probes do not become rare.
func TestPace_SomebodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := rested(t, provider.NoModels)
		before := len(w.probes("a"))
		for range 600 {
			w.Ensure([]string{"a"}, time.Second)
			time.Sleep(time.Second)
		}
		if n := len(w.probes("a")) - before; n < 290 || n > 601 {
			t.Errorf("%d probes in ten minutes of waiting", n)
		}
	})
}

// A reader who accepts the known row does not change the pace, not even during a probe.
func TestPace_WhatIsKnownWillDo(t *testing.T) {
	for name, takes := range map[string]time.Duration{"AtRest": 0, "DuringAProbe": 700 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := rested(t, provider.NoModels)
				met := 0 // probes under way
				w.play("a", func(ctx context.Context, n int) probe.Observation {
					time.Sleep(takes)
					return seen(provider.NoModels)(ctx, n)
				})
				before := len(w.probes("a"))
				for range 6000 {
					if w.Stats().InFlight > 0 {
						met++
					}
					w.Ensure([]string{"a"}, 5*time.Minute)
					time.Sleep(100 * time.Millisecond)
				}
				if n := len(w.probes("a")) - before; n > 12 {
					t.Errorf("%d probes in ten minutes of reading", n)
				}
				if takes > 0 && met == 0 {
					t.Error("it met no probe")
				}
			})
		})
	}
}

// A change, even if only of the reason, restores the fast pace.
func TestPace_AChange(t *testing.T) {
	for _, to := range []provider.Reason{provider.Loading, provider.ModelMissing, provider.ShuttingDown} {
		t.Run(string(to), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := rested(t, provider.NoModels)
				p := settings("a")
				p.Models = []string{"wanted"}
				if to == provider.ModelMissing {
					w.apply(p)
				}
				w.play("a", seen(to))
				for end := time.Now().Add(2 * time.Minute); w.row("a").Reason != to; time.Sleep(time.Second) {
					if time.Now().After(end) {
						t.Fatalf("still %s", w.row("a").Reason)
					}
				}
				if n := w.within("a", patience-2*fast); n < int((patience-3*fast)/fast) {
					t.Errorf("%d probes in %s after it", n, patience)
				}
			})
		})
	}
}
