package schedule

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// say reports on a provider as users who are no administrators.
func (w *harness) say(id string, r provider.Report, uid int) {
	w.t.Helper()
	if err := w.Hear(id, r, fmt.Sprint("uid ", uid)); err != nil {
		w.t.Error(err)
	}
	synctest.Wait()
}

// claims are all that a user can say of a provider that is worse than it is.
var claims = []provider.Report{
	limit60, {Status: 429}, {Status: 401}, {Status: 402}, {Status: 403}, {Status: 503}, {Status: 529, RetryAfter: "86400"},
	{Error: "timeout"}, {Error: "refused"}, {Error: "reset"}, {Status: 500, Headers: map[string][]string{"Retry-After": {"86400"}}},
}

// Nobody can make a provider look down for others for long: two users, or a thousand,
// say the worst of it each second for five minutes.
func TestHear_NobodyMakesAProviderLookDown(t *testing.T) {
	for name, answers := range map[string]func(ctx context.Context, n int) probe.Observation{
		"WhileItIsWell":       nil,
		"WhileItAnswersLate":  slowly(1400 * time.Millisecond),
		"WhileItsProbesBreak": afterwards(func(context.Context, int) probe.Observation { return probe.Observation{Saw: provider.ProbeFailed} }),
		"WhileNoProbeEnds":    afterwards(slowly(24 * time.Hour)),
	} {
		for _, users := range []int{2, 1000} {
			t.Run(fmt.Sprint(name, users), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newHarness(t, Options{})
					if answers != nil {
						w.play("a", answers)
					}
					w.apply(cloud("a"))
					w.run()
					time.Sleep(10 * time.Second)
					down, waits, seq := 0, 0, w.store.View().Seq()
					for second := range 300 {
						for u := range 2 {
							w.say("a", claims[(second+u)%len(claims)], 1000+(2*second+u)%users)
						}
						for range 10 {
							time.Sleep(100 * time.Millisecond)
							switch st := w.row("a"); {
							case !st.RetryAt.IsZero(), st.State == provider.StateError, st.State == provider.StateStopped:
								waits++
							case st.State != provider.StateRunning:
								down++
							}
						}
					}
					most := 5 * 10 * 3 // a probe is due within a second, and takes up to 1.4
					if name == "WhileNoProbeEnds" {
						most = 10 * 300
					}
					if down > most || waits > 0 {
						t.Errorf("it looks down for %d ms, and is left alone for %d ms", down*100, waits*100)
					}
					if n := len(w.probes("a")); n > 312 {
						t.Errorf("%d probes in 310 s", n)
					}
					if n := w.store.View().Seq() - seq; n > 12 {
						t.Errorf("%d events, two a minute are enough", n)
					}
					time.Sleep(2 * time.Minute)
					if st := w.row("a"); st.State != provider.StateRunning {
						t.Errorf("afterwards %s %s", st.State, st.Reason)
					}
				})
			})
		}
	}
}

// slowly answers well after that time.
func slowly(d time.Duration) func(context.Context, int) probe.Observation {
	return func(context.Context, int) probe.Observation {
		began := time.Now()
		time.Sleep(d)
		return probe.Observation{Saw: provider.OK, Began: began, Took: d, Latency: time.Millisecond}
	}
}

// afterwards answers well once, and then as that says.
func afterwards(then func(context.Context, int) probe.Observation) func(context.Context, int) probe.Observation {
	return func(ctx context.Context, n int) probe.Observation {
		if n == 1 {
			return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
		}
		return then(ctx, n)
	}
}

// A user's report is shown with who said it, and asks for a probe at once, which ends it.
func TestHear_AsksForAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", slowly(200*time.Millisecond))
		w.apply(cloud("a"))
		w.run()
		time.Sleep(10 * time.Second)
		w.say("a", limit60, 1000)
		w.shows("a", provider.StateDegraded, provider.RateLimited, provider.FromReport)
		if st := w.row("a"); st.Detail != "reported by uid 1000: 429 Too Many Requests" || st.Hearsay == nil || st.Hearsay.By != "uid 1000" {
			t.Errorf("%q, %+v", st.Detail, st.Hearsay)
		}
		if a := w.Refresh(nil, false); len(a.Skipped) != 0 {
			t.Errorf("nobody else may ask: %+v", a.Skipped)
		}
		w.say("a", limit60, 1001)
		time.Sleep(300 * time.Millisecond)
		w.shows("a", provider.StateRunning, provider.OK, provider.FromProbe)
		time.Sleep(2 * time.Second)
		if n := len(w.probes("a")); n != 3 { // the first, that of the report, and one for the refresh and the other report
			t.Errorf("%d probes", n)
		}
		if err := w.Hear("nobody", limit60, "me"); err == nil {
			t.Error("a provider that does not exist is reported on")
		}
		if err := w.Hear("a", provider.Report{Status: 200}, "me"); err == nil {
			t.Error("a success is reported")
		}
	})
}

// What a probe finds itself holds, however that was come upon.
func TestHear_AProbeConfirms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", afterwards(always(provider.RateLimited)))
		w.apply(cloud("a"))
		w.run()
		time.Sleep(10 * time.Second)
		w.say("a", limit60, 1000)
		time.Sleep(10 * time.Minute)
		w.shows("a", provider.StateDegraded, provider.RateLimited, provider.FromProbe)
	})
}

// Who asked to be left alone is, whoever reports it.
func TestHear_DoesNotForceAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", func(context.Context, int) probe.Observation {
			return probe.Observation{Saw: provider.RateLimited, RetryAt: time.Now().Add(time.Hour)}
		})
		w.apply(cloud("a"))
		w.run()
		for uid := range 100 {
			time.Sleep(time.Second)
			w.say("a", provider.Report{Status: 500}, uid)
		}
		if n := len(w.probes("a")); n != 1 {
			t.Errorf("%d probes", n)
		}
	})
}

// Neither a reload nor a restart gives users more time, nor makes their word the
// daemon's.
func TestHear_AcrossReloadAndRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := afterwards(slowly(50 * time.Second))
		w := newHarness(t, Options{})
		w.play("a", broken)
		w.apply(cloud("a"))
		w.run()
		time.Sleep(10 * time.Second)
		down, began := 0, time.Now()
		for second := 0; time.Since(began) < time.Hour; second++ {
			w.say("a", limit60, second)
			time.Sleep(time.Second)
			if w.row("a").Reason == provider.RateLimited {
				down++
			}
			switch {
			case second%600 == 299:
				p := cloud("a")
				p.Timeout += time.Duration(second) * time.Millisecond
				w.apply(p)
			case second%600 == 599:
				st := w.row("a")
				w.stop()
				again := newHarness(t, Options{})
				again.play("a", broken)
				again.store.Configure([]string{"a"}, map[string]store.Update{"a": {Status: st}})
				again.restart()
				again.apply(cloud("a"))
				if st := again.row("a"); st.State != provider.StateRunning {
					t.Fatalf("restored as %s %s", st.State, st.Reason)
				}
				again.run()
				time.Sleep(time.Second)
				w = again
			}
		}
		if down > 601 || down < 60 {
			t.Errorf("%d s in an hour", down)
		}
	})
}

// An administrator's report counts as ever, whatever users said before.
func TestHear_BesideAnAdministrators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.apply(cloud("a"))
		w.run()
		time.Sleep(10 * time.Second)
		w.say("a", provider.Report{Status: 429}, 1000)
		w.tell("a", limit60)
		time.Sleep(30 * time.Second)
		w.say("a", provider.Report{Status: 429, RetryAfter: "1"}, 1000) // which takes nothing back
		time.Sleep(20 * time.Second)
		w.shows("a", provider.StateDegraded, provider.RateLimited, provider.FromReport)
		if w.row("a").RetryAt.IsZero() {
			t.Error("the time is gone")
		}
		time.Sleep(20 * time.Second)
		w.shows("a", provider.StateRunning, provider.OK, provider.FromProbe)
	})
}

// A probe that began before a user's report does not answer it; the one that it asks for
// does.
func TestHear_AnOlderProbeDoesNotEndIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", slowly(1500*time.Millisecond))
		w.apply(cloud("a"))
		w.run()
		time.Sleep(10 * time.Second)
		w.Refresh(nil, false)
		time.Sleep(time.Second)
		w.say("a", limit60, 1000)
		time.Sleep(time.Second) // the older one has landed
		w.shows("a", provider.StateDegraded, provider.RateLimited, provider.FromReport)
		time.Sleep(1500 * time.Millisecond)
		w.shows("a", provider.StateRunning, provider.OK, provider.FromProbe)
	})
}

// Nor does a probe that began before somebody was certain of what had been a doubt.
func TestHear_AnOlderProbeDoesNotAnswerWhoIsCertain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", slowly(500*time.Millisecond))
		w.apply(cloud("a"))
		w.run()
		time.Sleep(10 * time.Second)
		w.say("a", provider.Report{Error: "timeout"}, 1000)
		w.shows("a", provider.StateRunning, provider.OK, provider.FromProbe)
		time.Sleep(100 * time.Millisecond)
		w.say("a", limit60, 1001)
		w.shows("a", provider.StateDegraded, provider.RateLimited, provider.FromReport)
		time.Sleep(500 * time.Millisecond) // the probe that the first asked for has landed
		w.shows("a", provider.StateDegraded, provider.RateLimited, provider.FromReport)
		time.Sleep(2 * time.Second)
		w.shows("a", provider.StateRunning, provider.OK, provider.FromProbe)
	})
}

// Its minute is up on time, though no probe comes and nobody says anything more.
func TestHear_EndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", afterwards(slowly(24*time.Hour)))
		w.apply(cloud("a"))
		w.run()
		time.Sleep(10 * time.Second)
		seq := w.store.View().Seq()
		w.say("a", limit60, 1000)
		time.Sleep(59 * time.Second)
		w.shows("a", provider.StateDegraded, provider.RateLimited, provider.FromReport)
		time.Sleep(2 * time.Second)
		w.shows("a", provider.StateRunning, provider.OK, provider.FromProbe)
		if n := w.store.View().Seq() - seq; n != 2 {
			t.Errorf("%d events, want one at each edge", n)
		}
	})
}
