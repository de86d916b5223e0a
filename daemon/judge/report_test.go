package judge

import (
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// met is what a caller met, and for how long it was told to stay away.
func met(reason provider.Reason, wait time.Duration) probe.Observation {
	o := probe.Observation{Saw: reason, Detail: "reported by uid 1000"}
	if wait > 0 {
		o.RetryAt = t0.Add(wait)
	}
	return o
}

// hear is a report instead of a probe; it takes no time.
func (c *course) report(o probe.Observation) *course {
	o.Began = c.now
	if !o.RetryAt.IsZero() {
		o.RetryAt = c.now.Add(o.RetryAt.Sub(t0))
	}
	next, event := ApplyReport(c.r, o, c.p)
	if event != nil {
		c.events = append(c.events, *event)
	}
	c.r = next
	return c
}

func (c *course) source(want provider.Source) *course {
	c.t.Helper()
	if got := c.r.Status.Source; got != want {
		c.t.Errorf("source %s, want %s", got, want)
	}
	return c
}

func TestReport_WhatIsDefiniteShowsAtOnceAndAnyProbeOverrulesIt(t *testing.T) {
	for _, next := range []provider.Reason{provider.OK, provider.Hung, provider.ConnectionRefused} {
		p := local()
		p.Rise, p.Fall = 3, 3
		c := begin(t, p).see(saw(provider.OK)).report(met(provider.Unauthorized, 0)).
			want(provider.StateError, provider.Unauthorized).source(provider.FromReport)
		if st := c.r.Status; st.Reported == nil || st.LatencyMS != 0 || st.Hint == "" || !strings.Contains(st.LastError, "unauthorized: reported by") {
			t.Errorf("%+v", st)
		}
		c.see(saw(next)).want(stateOf(next), next).source(provider.FromProbe)
		if c.r.Status.Reported != nil || len(c.events) != 3 {
			t.Errorf("%+v, %d events", c.r.Status.Reported, len(c.events))
		}
	}
}

// A probe that failed by itself says nothing, so the report stands until a better probe.
func TestReport_AProbeThatBrokeDoesNotOverrule(t *testing.T) {
	p := local()
	p.Rise = 3
	c := begin(t, p).see(saw(provider.OK)).report(met(provider.Unauthorized, 0)).see(saw(provider.ProbeFailed)).
		want(provider.StateError, provider.ProbeFailed)
	if c.r.Status.Reported == nil {
		t.Error("the report is gone")
	}
	c.see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
}

func TestReport_AProbeThatBrokeDoesNotForgetTheTime(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK)).report(met(provider.RateLimited, time.Minute))
	retry := c.r.Status.RetryAt
	if c.see(saw(provider.ProbeFailed)); !c.r.Status.RetryAt.Equal(retry.Time) {
		t.Errorf("retry at %s, want %s", c.r.Status.RetryAt, retry)
	}
}

func TestReport_WhatIsDoubtfulIsOneDoubtHoweverManyReportIt(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK))
	for range 5 {
		c.report(met(provider.Hung, 0)).want(provider.StateRunning, provider.OK).source(provider.FromReport)
	}
	want := provider.Doubt{Saw: provider.Hung, Detail: "reported by uid 1000", Count: 1, Of: 2}
	if d := c.r.Status.Doubt; d == nil || *d != want || !c.r.InDoubt(c.p) || len(c.events) != 1 {
		t.Errorf("%+v, %d events", d, len(c.events))
	}
	well := *c
	well.see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
	if d := well.r.Status.Doubt; d != nil || well.r.Run.Doubts != 0 {
		t.Errorf("still in doubt: %+v", d)
	}
	c.see(saw(provider.ConnectionReset)).want(provider.StateDegraded, provider.ConnectionReset)
}

func TestReport_RetryAtHoldsAgainstGoodProbes(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK)).report(met(provider.RateLimited, 5*time.Second)).
		want(provider.StateDegraded, provider.RateLimited)
	retry := c.r.Status.RetryAt
	c.see(saw(provider.OK)).want(provider.StateDegraded, provider.RateLimited).source(provider.FromReport) // forced
	if st := c.r.Status; !st.RetryAt.Equal(retry.Time) || st.Detail != "reported by uid 1000" || st.LastOKAt.IsZero() {
		t.Errorf("%+v", st)
	}
	c.see(saw(provider.ConnectionRefused)).want(provider.StateStopped, provider.ConnectionRefused).source(provider.FromProbe)
	if !c.r.Status.RetryAt.Equal(retry.Time) {
		t.Errorf("retry at %s: a probe shortened it", c.r.Status.RetryAt)
	}
	c.see(saw(provider.OK)).want(provider.StateDegraded, provider.RateLimited)
	c.see(saw(provider.OK)).want(provider.StateRunning, provider.OK).source(provider.FromProbe)
	if st := c.r.Status; !st.RetryAt.IsZero() || st.Reported != nil {
		t.Errorf("%+v", st)
	}
}

func TestReport_RecoveryFromAHeldOneIsNotSlowedByRise(t *testing.T) {
	p := local()
	p.Rise = 5
	begin(t, p).see(saw(provider.OK)).report(met(provider.RateLimited, 3*time.Second)).
		see(saw(provider.OK), saw(provider.OK)).want(provider.StateDegraded, provider.RateLimited).
		see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
}

// If a caller met what probes found, it still counts as theirs: recovery takes Rise.
func TestReport_OfWhatIsKnownChangesNothing(t *testing.T) {
	p := local()
	p.Rise = 2
	begin(t, p).see(saw(provider.Unauthorized)).report(met(provider.Unauthorized, 0)).
		see(saw(provider.OK)).want(provider.StateError, provider.Unauthorized).
		see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
}

func TestReport_Times(t *testing.T) {
	limited := saw(provider.RateLimited)
	limited.RetryAt = t0.Add(10 * time.Minute)
	at := func(c *course, want time.Time) {
		t.Helper()
		if got := c.r.Status.RetryAt; !got.Equal(want) {
			t.Errorf("retry at %s, want %s", got, want)
		}
	}
	t.Run("TheNewestReportCounts", func(t *testing.T) {
		c := begin(t, local()).report(met(provider.RateLimited, time.Hour)).report(met(provider.RateLimited, time.Second))
		at(c, t0.Add(time.Second))
	})
	t.Run("OneWithoutATimeChangesNothingMeanwhile", func(t *testing.T) {
		c := begin(t, local()).report(met(provider.RateLimited, time.Hour)).report(met(provider.Unauthorized, 0)).
			want(provider.StateDegraded, provider.RateLimited)
		at(c, t0.Add(time.Hour))
	})
	t.Run("ALaterOneOfTheProvidersOwnStays", func(t *testing.T) {
		c := begin(t, local()).see(limited).report(met(provider.RateLimited, time.Minute))
		at(c, limited.RetryAt)
	})
	t.Run("AnEarlierOneDoesNot", func(t *testing.T) {
		c := begin(t, local()).see(limited).report(met(provider.RateLimited, time.Hour))
		at(c, t0.Add(2*time.Second+time.Hour))
	})
	t.Run("ATimeMakesAnythingDefinite", func(t *testing.T) {
		begin(t, local()).see(saw(provider.OK)).report(met(provider.ServerError, time.Minute)).
			want(provider.StateDegraded, provider.ServerError)
	})
}

func TestReport_WhilePaused(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK))
	c.r, _ = ApplyPause(c.r, true, c.p, c.now)
	events := len(c.events)
	c.report(met(provider.RateLimited, time.Minute)).want(provider.StateRunning, provider.Paused)
	if len(c.events) != events || c.r.Status.RetryAt.IsZero() {
		t.Errorf("%+v", c.r.Status)
	}
	c.r, _ = ApplyPause(c.r, false, c.p, c.now)
	c.want(provider.StateDegraded, provider.RateLimited)
}

// A report holds across any number of restarts.
func TestReport_IsRestored(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK)).report(met(provider.RateLimited, time.Minute))
	for range 2 {
		c.r = Initial(c.p, &c.r.Status)
	}
	c.source(provider.FromRestored).see(saw(provider.OK)).want(provider.StateDegraded, provider.RateLimited)
	c.now = c.now.Add(time.Minute)
	c.see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
}

func TestOvertaken_LearnsFactsAndNoVerdict(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK)).report(met(provider.Unauthorized, 0))
	o := saw(provider.OK)
	o.Began, o.Facts.Models = c.now, []provider.Model{{ID: "m"}}
	Overtaken(&c.r, &o, c.p, MachineFine)
	c.want(provider.StateError, provider.Unauthorized).source(provider.FromReport)
	if st := c.r.Status; st.Reported == nil || *st.ModelsCount != 1 || !st.CheckedAt.Equal(o.Began) {
		t.Errorf("%+v", st)
	}
}

// A probe in doubt, because this machine may be to blame, leaves a report as it was; the next
// probe can overrule it.
func TestReport_ADoubtfulHostOverrulesNothing(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK)).report(met(provider.Unauthorized, 0)).want(provider.StateError, provider.Unauthorized)
	c.seeWhile(MachineInDoubt, saw(provider.ConnectTimeout)).want(provider.StateError, provider.Unauthorized)
	if st := c.r.Status; st.Source != provider.FromReport || st.Reported == nil {
		t.Errorf("source %s, reported %+v", st.Source, st.Reported)
	}
	c.see(saw(provider.Hung)).want(provider.StateDegraded, provider.Hung)
}

// A rate limit that a caller met does not hide that there is no key.
func TestReport_WithoutAKey(t *testing.T) {
	c := begin(t, local()).see(saw(provider.NoCredentials)).report(met(provider.RateLimited, time.Minute))
	c.want(provider.StateStopped, provider.NoCredentials)
	if c.r.Status.RetryAt.IsZero() {
		t.Error("the time is lost")
	}
}
