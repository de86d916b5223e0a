package schedule

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// Promise 3: each provider has at most one probe in flight and one queued, however many ask.
func TestPromise3_NoStampede(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", func(ctx context.Context, n int) probe.Observation {
			time.Sleep(300 * time.Millisecond)
			return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
		})
		w.apply(settings("a"))
		w.run()
		synctest.Wait() // the first sweep's probe is in flight
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() { w.Ensure(nil, 0) })
			wg.Go(func() { w.Refresh([]string{"a"}, false) })
		}
		wg.Wait()
		time.Sleep(5 * time.Second)
		if n := len(w.probes("a")); n != 2 {
			t.Errorf("%d probes, want 2", n)
		}
		var c provider.Counters
		w.Counters(&c)
		if c.Coalesced < 1900 {
			t.Errorf("coalesced %d of 2000", c.Coalesced)
		}
	})
}

// Promise 2: a status of a refresh's generation or later comes from a probe that began after the
// refresh was accepted.
func TestPromise2_NoLostRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("a", func(ctx context.Context, n int) probe.Observation {
			time.Sleep(time.Second)
			return probe.Observation{Saw: provider.OK, Latency: time.Millisecond, Detail: fmt.Sprint(n)}
		})
		w.apply(settings("a"))
		w.run()
		time.Sleep(500 * time.Millisecond) // in the middle of the first probe
		accepted := time.Now()
		g := w.Refresh([]string{"a"}, false).Generation
		for {
			changed := w.store.Changed("a")
			st := w.row("a")
			if !st.CheckedAt.IsZero() && st.CheckedAt.Before(accepted) && st.Generation >= g {
				t.Fatalf("the old probe came back as generation %d", st.Generation)
			}
			if st.Generation >= g {
				if st.Detail != "2" || st.CheckedAt.Before(accepted) {
					t.Errorf("generation %d from probe %s that began at %s, refresh accepted at %s", st.Generation, st.Detail, st.CheckedAt, accepted)
				}
				return
			}
			<-changed
		}
	})
}

func TestSchedule_Cadence(t *testing.T) {
	ok, refused := always(provider.OK), always(provider.ConnectionRefused)
	for _, test := range []struct {
		name string
		p    config.Provider
		play func(context.Context, int) probe.Observation
		want []time.Duration // between the beginnings, after the first probe
	}{
		{"LocalRunning", settings("a"), ok, seconds(5, 10, 10)},
		{"LocalStopped", settings("a"), refused, seconds(2, 2, 2)},
		{"LocalStarting", settings("a"), always(provider.Loading), seconds(2, 2)},
		{"LocalDegraded", settings("a"), always(provider.Hung), seconds(2, 2)},
		{"PluginWarns", settings("a"), always(provider.CheckWarning), seconds(10, 10)},
		{"PluginCannotTell", settings("a"), always(provider.CheckUnknown), seconds(10, 10)},
		{"ErrorNeedsPerson", settings("a"), always(provider.Unauthorized), seconds(60, 60)},
		{"ErrorMayPass", settings("a"), always(provider.ConnectTimeout), seconds(10, 10)},
		{"CloudRunning", cloud("a"), ok, seconds(30, 60, 60)},
		{"CloudFailingDoubles", cloud("a"), always(provider.ServerError), seconds(15, 30, 60, 120, 240, 300, 300)},
		{"CloudUpAndLimited", cloud("a"), func(context.Context, int) probe.Observation {
			return probe.Observation{Saw: provider.OK, Facts: probe.Facts{Models: []provider.Model{}}}
		}, seconds(60, 60)},
		{"DoubtIsFast", settings("a"), func(_ context.Context, n int) probe.Observation {
			if n == 3 {
				return probe.Observation{Saw: provider.Hung}
			}
			return probe.Observation{Saw: provider.OK}
		}, seconds(5, 10, 2, 10)},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newHarness(t, Options{})
				w.play("a", test.play)
				w.apply(test.p)
				w.run()
				for len(w.probes("a")) <= len(test.want) {
					time.Sleep(100 * time.Millisecond)
					synctest.Wait()
				}
				began := w.probes("a")
				for i, want := range test.want {
					if got := began[i+1].Sub(began[i]); got != want {
						t.Errorf("wait %d was %s, want %s", i+1, got, want)
					}
				}
			})
		})
	}
}

func seconds(list ...float64) []time.Duration {
	var d []time.Duration
	for _, s := range list {
		d = append(d, time.Duration(s*float64(time.Second)))
	}
	return d
}

func TestSchedule_AskWhatIsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("down", always(provider.ConnectionRefused))
		w.apply(settings("up"), settings("down"))
		w.run()
		time.Sleep(2 * time.Minute)
		facts := 0
		for _, ask := range w.asked("up") {
			if ask.Facts {
				facts++
			}
		}
		if n := len(w.asked("up")); facts < 2 || facts > 3 || n < 12 {
			t.Errorf("facts were asked %d times in %d probes; once a minute will do", facts, n)
		}
		for i, ask := range w.asked("down") {
			if ask.DialFirst != (i > 0) {
				t.Errorf("probe %d of a server that is not there: %+v", i, ask)
			}
		}
		before := len(w.asked("up"))
		w.Refresh([]string{"up"}, false)
		time.Sleep(time.Second)
		if asks := w.asked("up"); len(asks) != before+1 || !asks[before].Facts {
			t.Errorf("a refresh asks for everything: %+v", asks[before:])
		}
	})
}

// A hanging provider never delays another, even if more hang than fit a lane.
func TestSchedule_HangingProvidersDelayNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{Lane: 4})
		list := []config.Provider{settings("good")}
		for i := range 20 {
			p := settings(fmt.Sprintf("hung%d", i))
			list = append(list, p)
			w.play(p.ID, silence(p.Timeout))
		}
		w.apply(list...)
		w.run()
		time.Sleep(30 * time.Second) // all have shown what they are
		from := len(w.probes("good"))
		time.Sleep(2 * time.Minute)
		began := w.probes("good")
		for i := from; i < len(began); i++ {
			if gap := began[i].Sub(began[i-1]); gap != 10*time.Second {
				t.Errorf("the good one waited %s", gap)
			}
		}
		if n := len(began) - from; n < 11 {
			t.Errorf("%d probes in two minutes", n)
		}
	})
}

// Promise 6, the scheduler's part: a panic in one probe is that probe's error.
func TestPromise6_APanicIsThatProbesError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("bad", func(context.Context, int) probe.Observation { panic("kind is broken") })
		w.apply(settings("bad"), settings("good"))
		w.run()
		time.Sleep(time.Minute)
		if st := w.row("bad"); st.Reason != provider.ProbeFailed || st.Detail != "panic: kind is broken" {
			t.Errorf("%+v", st)
		}
		if st := w.row("good"); st.Reason != provider.OK || len(w.probes("good")) < 5 {
			t.Errorf("%+v", st)
		}
	})
}

func TestSchedule_FirstSweepStartsAtOnceAndSpreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		var list []config.Provider
		for i := range 4000 {
			list = append(list, settings(fmt.Sprint(i)))
		}
		start := time.Now()
		w.apply(list...)
		w.run()
		<-w.Swept()
		if took := time.Since(start); took > 10*time.Second || took < 5*time.Second {
			t.Errorf("4,000 providers were swept in %s", took)
		}
		if first := w.probes("0")[0].Sub(start); first != 0 {
			t.Errorf("the first probe began after %s", first)
		}
		together := map[time.Time]int{}
		for _, p := range list {
			together[w.probes(p.ID)[0]]++
		}
		for at, n := range together {
			if n > 3 {
				t.Errorf("%d probes began together at %s", n, at.Sub(start))
			}
		}
	})
}

// A row is never stale while its schedule is kept.
func TestSchedule_AHealthyRowIsNeverStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		w := newHarness(t, Options{Random: func() float64 { n++; return float64(n%10) / 10 }})
		w.apply(settings("a"), cloud("b"))
		w.run()
		time.Sleep(time.Second)
		for range 3000 {
			time.Sleep(100 * time.Millisecond)
			for _, id := range []string{"a", "b"} {
				if row := w.store.View().Row(id); row.Stale(time.Now()) {
					t.Fatalf("%s is stale at age %s of %dms", id, row.Age(time.Now()), row.Status.TTLMS)
				}
			}
		}
		if ttl := w.row("a").TTLMS; ttl != 11500 {
			t.Errorf("ttl %dms, want interval plus timeout", ttl)
		}
	})
}

// If files are few, only that many providers keep a connection.
func TestSchedule_KeepsSoManyConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{Kept: 2})
		w.apply(settings("a"), settings("b"), settings("c"))
		w.run()
		<-w.Swept()
		for id, part := range map[string]bool{"a": false, "b": false, "c": true} {
			if ask := w.asked(id)[0]; ask.Part != part {
				t.Errorf("%s gives its connection up: %t", id, ask.Part)
			}
		}
		w.apply(settings("b"), settings("c")) // another's place is free
		time.Sleep(time.Minute)
		if ask := w.asked("c"); ask[len(ask)-1].Part {
			t.Error("c gives its connection up, and there is a place for it")
		}
		w.stop()
	})
}

// A probe of a hanging server ends long after one that began later.
func TestEvents_AreDatedInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		w.play("hangs", silence(1500*time.Millisecond))
		w.apply(settings("hangs"))
		w.run()
		time.Sleep(time.Second)
		w.apply(settings("hangs"), settings("answers"))
		time.Sleep(time.Second)
		events, err := w.store.Events(0, 0)
		if err != nil || len(events) != 2 || events[1].ID != "hangs" {
			t.Fatalf("events %+v, %v", events, err)
		}
		if events[1].Time.Before(events[0].Time.Time) {
			t.Errorf("the second event is dated %v, before the first: %v", events[1].Time, events[0].Time)
		}
	})
}
