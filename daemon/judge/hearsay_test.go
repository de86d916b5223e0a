package judge

import (
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// claims is what a user met who is no administrator; it takes no time.
func (c *course) claims(reason provider.Reason, wait time.Duration) *course {
	o := met(reason, 0)
	if o.Began = c.now; wait > 0 {
		o.RetryAt = c.now.Add(wait)
	}
	next, event := ApplyHearsay(c.r, o, "uid 1000", c.p)
	return c.became(next, event)
}

// pass lets time pass without a probe.
func (c *course) pass(d time.Duration) *course {
	c.now = c.now.Add(d)
	next, event := ApplyTime(c.r, c.p, c.now)
	return c.became(next, event)
}

// answer is a probe that began after what users met.
func (c *course) answer(o probe.Observation) *course {
	seen := o
	seen.Began = c.now
	Refute(&c.r, &seen)
	return c.see(o)
}

func (c *course) became(next Record, event *provider.Event) *course {
	if event != nil {
		c.events = append(c.events, *event)
	}
	c.r = next
	return c
}

func TestHearsay_IsBelievedForAMinuteAtMost(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK)).claims(provider.RateLimited, time.Hour).
		want(provider.StateDegraded, provider.RateLimited).source(provider.FromReport)
	st := c.r.Status
	if h := st.Hearsay; h == nil || h.By != "uid 1000" || !h.Until.Equal(c.now.Add(time.Minute)) || h.Over == nil || h.Over.State != provider.StateRunning {
		t.Errorf("%+v", h)
	}
	if st.Detail != "reported by uid 1000" || !st.RetryAt.IsZero() || st.Reported != nil || c.r.Limited() || c.r.InDoubt(c.p) {
		t.Errorf("it is more than a user's word: %+v", st)
	}
	if e := c.events[len(c.events)-1]; !e.Hearsay || e.LatencyMS != 0 || e.Detail != "reported by uid 1000" {
		t.Errorf("told as %+v", e)
	}
	since := c.r.beneath().Since
	c.pass(59*time.Second).want(provider.StateDegraded, provider.RateLimited).
		pass(time.Second).want(provider.StateRunning, provider.OK).source(provider.FromProbe)
	if st := c.r.Status; !st.Since.Equal(since.Time) || st.Hint != "" || st.Detail != "what was seen" || len(c.events) != 3 || c.events[2].From != provider.StateDegraded {
		t.Errorf("it leaves a trace: %+v, %+v", st, c.events)
	}
	if h := c.r.Status.Hearsay; h == nil || h.SpentMS != 60_000 || h.Over != nil {
		t.Errorf("%+v", h)
	}
	if c.pass(2 * time.Hour); c.r.Status.Hearsay != nil || c.r.Hearsay != nil {
		t.Errorf("it is never forgotten: %+v", c.r.Status.Hearsay)
	}
}

func TestHearsay_AProbeThatFindsItWellEndsIt(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK)).claims(provider.RateLimited, 0).answer(saw(provider.OK)).want(provider.StateRunning, provider.OK)
	c.claims(provider.RateLimited, 0).want(provider.StateRunning, provider.OK) // one minute at a time
	c.pass(time.Minute).claims(provider.RateLimited, 0).want(provider.StateDegraded, provider.RateLimited)
}

// However soon probes refute them, users make a provider change no more than twenty times
// in an hour: the events that are kept are everybody's.
func TestHearsay_FewEventsInAnyHour(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK))
	c.events = nil
	for began := c.now; c.now.Sub(began) < 3*time.Hour; {
		c.claims(provider.RateLimited, 0).answer(saw(provider.OK)).want(provider.StateRunning, provider.OK).pass(time.Second)
	}
	most := 0
	for i, first := range c.events {
		n := 0
		for _, e := range c.events[i:] {
			if e.Time.Sub(first.Time.Time) < time.Hour {
				n++
			}
		}
		most = max(most, n)
	}
	if most != 20 {
		t.Errorf("%d events in an hour, want 20", most)
	}
	if h := c.r.Status.Hearsay; h == nil || h.Until.After(c.now) || h.SpentMS > 600_000 {
		t.Errorf("%+v", h)
	}
}

// A probe that began before does not end it, one that broke neither, and one that finds
// it ill has its own word.
func TestHearsay_OtherProbes(t *testing.T) {
	heard := func() *course { return begin(t, local()).see(saw(provider.OK)).claims(provider.RateLimited, 0) }
	heard().see(saw(provider.OK)).want(provider.StateDegraded, provider.RateLimited)
	heard().answer(saw(provider.Hung)).want(provider.StateDegraded, provider.RateLimited)
	heard().answer(saw(provider.Unauthorized)).want(provider.StateError, provider.Unauthorized).source(provider.FromProbe)
	c := heard().answer(saw(provider.ProbeFailed)).want(provider.StateRunning, provider.ProbeFailed)
	c.answer(saw(provider.OK)).want(provider.StateRunning, provider.OK)
	c = heard().answer(saw(provider.RateLimited)).want(provider.StateDegraded, provider.RateLimited).source(provider.FromProbe) // it is confirmed
	c.pass(time.Hour).want(provider.StateDegraded, provider.RateLimited)
}

// In no hour are users believed for more than ten minutes, however many they are and
// whenever they speak.
func TestHearsay_TenMinutesInAnyHour(t *testing.T) {
	for _, every := range []time.Duration{time.Second, 7 * time.Second, 59 * time.Second, time.Minute, 61 * time.Second, 5 * time.Minute} {
		c := begin(t, local()).see(saw(provider.OK))
		var down []bool // in each second
		for second := range 4 * 3600 {
			if time.Duration(second)*time.Second%every == 0 {
				c.claims(provider.RateLimited, 0)
			}
			down = append(down, c.r.Status.State != provider.StateRunning)
			c.pass(time.Second)
		}
		most, n := 0, 0
		for i, d := range down {
			if d {
				n++
			}
			if i >= 3600 && down[i-3600] {
				n--
			}
			most = max(most, n)
		}
		if want := 600; most > want || every <= 5*time.Minute && most < want {
			t.Errorf("a report every %s: %d s in an hour, want %d", every, most, want)
		}
		if n := len(c.r.Hearsay.spent); n > 60 {
			t.Errorf("%d spans are kept", n)
		}
	}
}

// What was believed counts across restarts, and a clock that was set.
func TestHearsay_TheHourOutlivesARestart(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK))
	down := 0
	for second := range 3600 {
		c.claims(provider.RateLimited, 0)
		if c.r.Status.State != provider.StateRunning {
			down++
		}
		if c.pass(time.Second); second%97 == 0 {
			st := c.r.Status.Bounded(c.now)
			c.r, _ = ApplyTime(Initial(c.p, &st), c.p, c.now)
			if c.r.Status.State != provider.StateRunning || c.r.Status.Reason != provider.OK || c.r.Status.Doubt != nil {
				t.Fatalf("a restart makes a user's word the daemon's: %+v", c.r.Status)
			}
			c.see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
		}
		if second%601 == 0 {
			c.r, c.now = ClockSet(c.r, -time.Hour, c.now.Add(-time.Hour)), c.now.Add(-time.Hour)
		}
	}
	if down > 600 {
		t.Errorf("%d s in an hour", down)
	}
}

func TestHearsay_WhatIsDoubtfulShowsAsADoubt(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK)).claims(provider.Hung, 0).want(provider.StateRunning, provider.OK)
	want := provider.Doubt{Saw: provider.Hung, Detail: "reported by uid 1000", Count: 1, Of: 2}
	if d := c.r.Status.Doubt; d == nil || *d != want || c.r.Run.Doubts != 0 {
		t.Errorf("%+v", d)
	}
	st := c.r.Status.Bounded(c.now)
	if again := Initial(c.p, &st); again.Status.Doubt != nil || again.Run.Doubt != nil {
		t.Errorf("a restart makes it the daemon's: %+v", again.Status.Doubt)
	}
	other := *c
	if other.answer(saw(provider.OK)); other.r.Status.Doubt != nil {
		t.Errorf("a probe does not end it: %+v", other.r.Status.Doubt)
	}
	if c.pass(time.Minute); c.r.Status.Doubt != nil {
		t.Errorf("time does not end it: %+v", c.r.Status.Doubt)
	}
	c.see(saw(provider.Hung)).want(provider.StateRunning, provider.OK) // it counts for no threshold
}

// What is certain takes the place of a doubt, in what is left of its minute.
func TestHearsay_CertaintyInPlaceOfADoubt(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK)).claims(provider.Hung, 0).pass(20*time.Second).want(provider.StateRunning, provider.OK)
	c.claims(provider.RateLimited, 0).want(provider.StateDegraded, provider.RateLimited)
	c.claims(provider.Hung, 0).claims(provider.Unauthorized, 0).want(provider.StateDegraded, provider.RateLimited)
	c.pass(39*time.Second).want(provider.StateDegraded, provider.RateLimited).pass(time.Second).want(provider.StateRunning, provider.OK)
	if h := c.r.Status.Hearsay; h.SpentMS != 60_000 {
		t.Errorf("%+v", h)
	}
}

// Whose key a user sent nobody knows, and what others know better stays.
func TestHearsay_WhatNobodyCanClaim(t *testing.T) {
	for _, reason := range []provider.Reason{provider.Unauthorized, provider.Forbidden, provider.QuotaExhausted} {
		c := begin(t, local()).see(saw(provider.OK)).claims(reason, time.Hour).want(provider.StateRunning, provider.OK)
		if h := c.r.Status.Hearsay; h == nil || h.Reason != reason || !h.Until.IsZero() || len(c.events) != 1 {
			t.Errorf("%s: %+v", reason, h)
		}
	}
	for _, known := range []provider.Reason{provider.ConnectionRefused, provider.Unauthorized, provider.NoCredentials, provider.Loading, provider.RateLimited} {
		begin(t, local()).see(saw(known)).claims(provider.RateLimited, 0).want(stateOf(known), known).source(provider.FromProbe)
	}
	c := begin(t, local()).see(saw(provider.OK))
	c.r, _ = ApplyPause(c.r, true, c.p, c.now)
	c.claims(provider.RateLimited, 0).want(provider.StateRunning, provider.Paused)
	c = begin(t, local()).see(saw(provider.OK)).claims(provider.RateLimited, 0)
	c.r, _ = ApplyPause(c.r, true, c.p, c.now)
	c.want(provider.StateRunning, provider.Paused) // not the state that a user made
	begin(t, local()).claims(provider.RateLimited, 0).want(provider.StateUnknown, provider.NotChecked)
	c = begin(t, local()).see(saw(provider.OK)).claims(provider.RateLimited, 0).report(met(provider.RateLimited, time.Hour))
	if c.pass(2 * time.Minute); c.r.Status.State != provider.StateDegraded || c.r.Status.RetryAt.IsZero() {
		t.Errorf("an administrator's report is gone with it: %+v", c.r.Status)
	}
}

// An outage of this machine, or a restart in one, does not make a user's word the last that
// was known of the provider.
func TestHearsay_AnOutageDoesNotKeepIt(t *testing.T) {
	for name, restarts := range map[string]bool{"InOneProcess": false, "AcrossARestart": true} {
		for later, wait := range map[string]time.Duration{"AtOnce": 0, "HoursLater": 3 * time.Hour} {
			t.Run(name+later, func(t *testing.T) {
				c := begin(t, local()).see(saw(provider.OK)).claims(provider.RateLimited, 0).want(provider.StateDegraded, provider.RateLimited)
				c.r = ApplyOutage(c.r, "no route", c.p, c.now)
				if restarts {
					st := c.r.Status.Bounded(c.now)
					c.r = Remind(Initial(c.p, &st), &c.events[len(c.events)-1])
				}
				c.pass(wait).pass(time.Second)
				c.claims(provider.RateLimited, 0) // and it makes no difference what users say meanwhile
				next, event := ApplyPause(c.r, true, c.p, c.now)
				c.became(next, event).want(provider.StateRunning, provider.Paused)
				if last := c.events[len(c.events)-1]; last.From != provider.StateDegraded || last.To != provider.StateRunning || last.Hearsay {
					t.Errorf("told as %+v", last)
				}
			})
		}
	}
}

// What users make of a row is no flapping of the provider's.
func TestHearsay_IsNoFlapping(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK))
	for range 5 {
		c.claims(provider.RateLimited, 0).answer(saw(provider.OK)).pass(time.Minute)
	}
	if c.claims(provider.Unauthorized, 0); c.r.Status.Detail != "what was seen" {
		t.Errorf("detail %q", c.r.Status.Detail)
	}
}
