package schedule

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// heardFleet notes what a scheduler tells it.
type heardFleet struct {
	mu    sync.Mutex
	saw   []provider.Status
	asked []uint64
	ours  []bool
}

func (f *heardFleet) Saw(_ string, row *provider.Status, _ []provider.Model, _ How, _ time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.saw = append(f.saw, *row)
}

func (f *heardFleet) Asked(_ string, generation uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, generation)
}

func (f *heardFleet) Disagrees(_ string, ours bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ours = append(f.ours, ours)
}

// fleeted plays one provider that another member probes, and has just told of.
func fleeted(t *testing.T, play func(t *testing.T, w *harness, f *heardFleet)) {
	synctest.Test(t, func(t *testing.T) {
		f := &heardFleet{}
		w := newHarness(t, Options{Fleet: f}).run()
		w.apply(cloud("groq"))
		synctest.Wait()
		w.SetTurn("groq", Elsewhere, 1)
		time.Sleep(10 * time.Second)
		w.Tell("groq", Told{By: "gpu3", Reason: provider.OK, Latency: 80 * time.Millisecond})
		play(t, w, f)
	})
}

// settled is the row once what changed is on the disk, and therefore visible.
func (w *harness) settled() provider.Status {
	synctest.Wait()
	return w.row("groq")
}

func (w *harness) wantProbes(n int, why string) {
	w.t.Helper()
	synctest.Wait()
	if got := len(w.probes("groq")); got != n {
		w.t.Errorf("%d probes, want %d: %s", got, n, why)
	}
}

func TestFleet_AnotherMembersProbesReplaceOurs(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		for range 10 {
			time.Sleep(time.Minute)
			w.Tell("groq", Told{By: "gpu3", Reason: provider.OK, Age: 20 * time.Second, Latency: 80 * time.Millisecond, Version: "2"})
		}
		w.wantProbes(1, "the first is our own, and then another member probes")
		st := w.settled()
		if st.Source != provider.FromFleet || st.By == nil || *st.By != "gpu3" || st.Version != "2" || st.LatencyMS != 80 || st.Detail != "" {
			t.Errorf("%+v", st)
		}
		if age := w.store.View().Row("groq").Age(time.Now()); age != 20*time.Second {
			t.Errorf("age %s", age)
		}
		w.Tell("groq", Told{By: "gpu3", Reason: provider.ServerError})
		if st = w.settled(); st.State != provider.StateDegraded && st.State != provider.StateError || st.Detail != "according to gpu3" {
			t.Errorf("%+v", st)
		}
	})
}

func TestFleet_WhatWasToldBeforeTheTurnCountsFromThenOn(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		w.SetTurn("groq", Here, 1)
		w.Tell("groq", Told{By: "gpu4", Reason: provider.ServerError})
		if st := w.settled(); st.Reason != provider.OK {
			t.Errorf("before: %+v", st)
		}
		w.SetTurn("groq", Elsewhere, 1)
		if st := w.settled(); st.Reason != provider.ServerError || st.By == nil || *st.By != "gpu4" {
			t.Errorf("after: %+v", st)
		}
	})
}

func TestFleet_SilenceOfTheOtherEndsInAnOwnProbe(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		time.Sleep(149 * time.Second)
		w.wantProbes(1, "the row is not too old")
		if w.store.View().Row("groq").Stale(time.Now()) {
			t.Error("stale too early")
		}
		time.Sleep(2 * time.Second)
		w.wantProbes(2, "nobody told anything for 150 s")
		if st := w.settled(); st.Source != provider.FromProbe || st.By != nil {
			t.Errorf("%+v", st)
		}
	})
}

func TestFleet_ARefreshIsAnsweredElsewhereOrHere(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		first := w.Refresh([]string{"groq"}, false).Generation
		time.Sleep(time.Second)
		w.Tell("groq", Told{By: "gpu3", Reason: provider.OK, Answers: first})
		time.Sleep(5 * time.Second)
		w.wantProbes(1, "the other member answered")
		if st := w.settled(); st.Generation != first || len(f.asked) != 1 || f.asked[0] != first {
			t.Errorf("generation %d, want %d; asked %v", st.Generation, first, f.asked)
		}
		second := w.Refresh([]string{"groq"}, false).Generation
		w.Tell("groq", Told{By: "gpu3", Reason: provider.OK, Answers: first})
		time.Sleep(AnswerWithin)
		w.wantProbes(2, "the other member did not answer the second one")
		if st := w.settled(); st.Generation != second {
			t.Errorf("generation %d, want %d", st.Generation, second)
		}
		w.Ensure([]string{"groq"}, time.Minute)
		time.Sleep(AnswerWithin)
		w.wantProbes(2, "the row is young enough")
		w.Ensure([]string{"groq"}, time.Second)
		time.Sleep(AnswerWithin)
		w.wantProbes(3, "the row is too old, and nobody answers")
		w.Refresh([]string{"groq"}, true)
		synctest.Wait()
		time.Sleep(minGap)
		w.wantProbes(4, "force asks this machine")
	})
}

func TestFleet_OwnContraryEvidenceHoldsUntilBothAgree(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		w.play("groq", always(provider.Unauthorized))
		w.CheckSoon("groq")
		synctest.Wait()
		w.Tell("groq", Told{By: "gpu3", Reason: provider.OK})
		if st := w.settled(); st.Reason != provider.Unauthorized || st.Source != provider.FromProbe {
			t.Errorf("%+v", st)
		}
		before := len(w.probes("groq"))
		time.Sleep(5*time.Minute + 5*time.Second) // between two probes
		if after := len(w.probes("groq")); after < before+3 {
			t.Errorf("%d probes in 5 minutes of a dispute", after-before)
		}
		w.Tell("groq", Told{By: "gpu3", Reason: provider.Unauthorized})
		if st := w.settled(); st.Source != provider.FromFleet {
			t.Errorf("%+v", st)
		}
		if len(f.ours) != 2 || !f.ours[0] || f.ours[1] {
			t.Errorf("told of disputes: %v", f.ours)
		}
		before = len(w.probes("groq"))
		time.Sleep(2 * time.Minute)
		w.wantProbes(before, "the dispute is over")
	})
}

func TestFleet_AReportIsCheckedHereAtOnce(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		if err := w.Report("groq", provider.Report{Status: 401}, "uid 0"); err != nil {
			t.Fatal(err)
		}
		w.wantProbes(2, "a report is checked at once")
		if st := w.settled(); st.Reason == provider.OK && st.Source == provider.FromReport {
			t.Errorf("%+v", st)
		}
	})
}

func TestFleet_AWaitOfAnotherMemberHoldsHere(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		w.SetTurn("groq", Here, 1)
		synctest.Wait()
		time.Sleep(minGap)
		synctest.Wait()
		before := len(w.probes("groq"))
		w.Hold("groq", 10*time.Minute, "gpu4")
		st := w.settled()
		if st.Reason != provider.RateLimited || st.By == nil || *st.By != "gpu4" || time.Until(st.RetryAt.Time) != 10*time.Minute {
			t.Errorf("%+v", st)
		}
		if got := w.Refresh([]string{"groq"}, false); len(got.Skipped) != 1 {
			t.Errorf("%+v", got)
		}
		time.Sleep(10*time.Minute - time.Millisecond)
		w.wantProbes(before, "the wait holds here too")
		if w.store.View().Row("groq").Stale(time.Now()) {
			t.Error("stale while it waits")
		}
		time.Sleep(3 * time.Second)
		if st = w.settled(); st.Reason != provider.OK || st.By != nil || !st.RetryAt.IsZero() {
			t.Errorf("%+v", st)
		}
		w.Hold("groq", 10*time.Minute, "gpu4")
		w.Refresh([]string{"groq"}, true)
		time.Sleep(2 * time.Second)
		if st = w.settled(); st.Reason != provider.OK || !st.RetryAt.IsZero() {
			t.Errorf("after a forced probe succeeded: %+v", st)
		}
	})
}

func TestFleet_AWaitEndsWhereAnotherMemberProbes(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		w.Hold("groq", time.Minute, "gpu4")
		time.Sleep(time.Minute)
		synctest.Wait()
		if st := w.settled(); st.Reason != provider.OK || st.Source != provider.FromFleet {
			t.Errorf("%+v", st)
		}
		w.wantProbes(1, "the other member probes")
	})
}

func TestFleet_AloneIsSlowerAndKeepsWhatIsKnown(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		w.Tell("groq", Told{By: "gpu3", Reason: provider.ServerError})
		w.Unsay("groq")
		w.SetTurn("groq", Alone, 4)
		if st := w.settled(); st.Reason != provider.ServerError || st.Source != provider.FromFleet {
			t.Errorf("%+v", st)
		}
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		all := w.probes("groq")
		if gap := all[len(all)-1].Sub(all[len(all)-2]); gap < 3*time.Minute+30*time.Second || gap > 4*time.Minute+30*time.Second {
			t.Errorf("probed every %s, want four minutes", gap)
		}
		if w.store.View().Row("groq").Stale(time.Now()) {
			t.Error("stale between two probes")
		}
		w.SetTurn("groq", Here, 1)
		before := len(w.probes("groq"))
		time.Sleep(3*time.Minute + 10*time.Second)
		if n := len(w.probes("groq")) - before; n < 3 {
			t.Errorf("%d probes in three minutes once it is this machine's turn", n)
		}
	})
}

// A machine that is cut off just before the other member's word lapses does not wait for another
// interval.
func TestFleet_AloneDoesNotKeepAWordForLonger(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		w.Tell("groq", Told{By: "gpu3", Reason: provider.OK, Age: 130 * time.Second, Heard: 100 * time.Second})
		time.Sleep(45 * time.Second) // it was heard 145 s ago
		w.wantProbes(1, "the word still counts")
		w.Unsay("groq")
		w.SetTurn("groq", Alone, 1)
		time.Sleep(5 * time.Second)
		w.wantProbes(2, "the word would have lapsed")
	})
}

func TestFleet_AWordCountsFromWhenItWasHeard(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		time.Sleep(110 * time.Second)
		w.Tell("groq", Told{By: "gpu3", Reason: provider.OK, Age: 105 * time.Second, Heard: 100 * time.Second})
		time.Sleep(52 * time.Second)
		w.wantProbes(2, "the word has lapsed")
	})
}

func TestFleet_AnotherKeyIsAnotherProvider(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		w.Hold("groq", time.Hour, "gpu4")
		p := cloud("groq")
		p.BaseURL, p.Endpoint = "https://api.example.org", "https://api.example.org"
		w.apply(p)
		time.Sleep(5 * time.Second)
		w.wantProbes(2, "it is another server")
		if st := w.settled(); st.Reason != provider.OK || st.By != nil || !st.RetryAt.IsZero() || len(w.shares) != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestFleet_NothingIsTakenWhilePaused(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		if err := w.SetPaused("groq", true); err != nil {
			t.Fatal(err)
		}
		w.Tell("groq", Told{By: "gpu3", Reason: provider.ServerError})
		w.CheckSoon("groq")
		time.Sleep(10 * time.Minute)
		w.wantProbes(1, "it is paused")
		if st := w.settled(); st.Reason != provider.Paused || st.State != provider.StateRunning {
			t.Errorf("%+v", st)
		}
		if err := w.SetPaused("groq", false); err != nil {
			t.Fatal(err)
		}
		w.wantProbes(2, "a resumed provider is probed at once")
	})
}

func TestFleet_HostileWordsChangeNothing(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		was := w.settled()
		for _, told := range []Told{
			{By: "gpu3", Reason: "nonsense"}, {By: "gpu3"}, {By: "gpu3", Reason: provider.Offline}, {By: "gpu3", Reason: provider.NotChecked},
			{By: "gpu3", Reason: provider.Paused}, {By: "gpu3", Reason: provider.NoCredentials}, {By: "gpu3", Reason: provider.ServerError, Age: time.Hour},
			{By: "gpu3", Reason: provider.ServerError, Age: -time.Hour}, {By: "gpu3", Reason: provider.ServerError, RetryIn: -1},
		} {
			w.Tell("groq", told)
			if st := w.settled(); st.Reason != was.Reason || !st.CheckedAt.Equal(was.CheckedAt.Time) {
				t.Errorf("%+v: %+v", told, st)
			}
		}
		w.Tell("unknown", Told{Reason: provider.OK})
		w.SetTurn("unknown", Elsewhere, 1)
		w.Hold("unknown", time.Second, "")
		w.Unsay("unknown")
		w.CheckSoon("unknown")
	})
}

func TestFleet_AnOwnProbeIsPassedOnWithoutWhatUsersMet(t *testing.T) {
	fleeted(t, func(t *testing.T, w *harness, f *heardFleet) {
		w.play("groq", func(context.Context, int) probe.Observation { return probe.Observation{Saw: provider.ScopeLimited} })
		w.CheckSoon("groq")
		synctest.Wait()
		if n := len(f.saw); n < 2 || f.saw[n-1].Reason != provider.ScopeLimited || f.saw[n-1].Source != provider.FromProbe {
			t.Errorf("%+v", f.saw)
		}
	})
}
