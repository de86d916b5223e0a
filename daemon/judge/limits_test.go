package judge

import (
	"fmt"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// left is an observation that says nothing but what is left of limits.
func (c *course) left(limits ...provider.Limit) probe.Observation {
	for i := range limits {
		limits[i].At = provider.Time{Time: c.now}
	}
	return probe.Observation{Began: c.now, Limits: limits}
}

func limit(name string, remaining float64, resets time.Time) provider.Limit {
	return provider.Limit{Name: name, Remaining: &remaining, ResetsAt: provider.Time{Time: resets}}
}

// shownLimits are the row's limits at the course's time, each as "name remaining source".
func (c *course) shownLimits() string {
	c.r, _ = ApplyTime(c.r, c.p, c.now)
	text := ""
	for _, l := range c.r.Status.Limits.All() {
		text += fmt.Sprint(l.Name, " ", *l.Remaining, " ", l.Source, l.By, "; ")
	}
	return text
}

func (c *course) wantLimits(t *testing.T, want string) {
	t.Helper()
	if got := c.shownLimits(); got != want {
		t.Errorf("limits %q, want %q", got, want)
	}
}

// A limit ends at its reset, and one without a reset when it is old. The newest answer counts,
// and a probe without limits changes nothing.
func TestLimits_Age(t *testing.T) {
	c := begin(t, local())
	o := saw(provider.OK)
	o.Limits = c.left(limit("requests", 0, c.now.Add(time.Minute)), limit("credits", 5, time.Time{})).Limits
	c.see(o).wantLimits(t, "credits 5 probe; requests 0 probe; ")
	if c.r.Status.UsedUp(c.now) == nil {
		t.Error("it is not used up")
	}
	c.see(saw(provider.OK)).wantLimits(t, "credits 5 probe; requests 0 probe; ")
	told := c.left(limit("credits", 3, time.Time{}))
	c.r = ApplyLimits(c.r, &told, c.p)
	c.wantLimits(t, "credits 3 report; requests 0 probe; ")
	c.pass(61*time.Second).wantLimits(t, "credits 3 report; ")
	if c.r.Status.UsedUp(c.now) != nil {
		t.Error("it is used up after its reset")
	}
	c.pass(provider.LimitAge).wantLimits(t, "")
}

// Another key, or another server, has other limits.
func TestLimits_AreForgotten(t *testing.T) {
	for name, change := range map[string]func(c *course){
		"WithTheKey": func(c *course) { c.r = ForgetKey(c.r) },
		"WhenGone":   func(c *course) { c.see(saw(provider.ConnectionRefused)) },
	} {
		c := begin(t, local())
		o := saw(provider.OK)
		o.Limits = c.left(limit("requests", 0, c.now.Add(time.Hour))).Limits
		c.see(o).wantLimits(t, "requests 0 probe; ")
		if change(c); c.shownLimits() != "" {
			t.Errorf("%s: %s", name, c.shownLimits())
		}
	}
}

// Times follow the clock when it is set, and a restart keeps what was known.
func TestLimits_OutliveARestartAndAClock(t *testing.T) {
	c := begin(t, local())
	told := c.left(limit("requests", 0, c.now.Add(time.Hour)))
	c.r = ApplyLimits(c.r, &told, c.p)
	c.now = c.now.Add(-2 * time.Hour)
	c.r = ClockSet(c.r, -2*time.Hour, c.now)
	c.wantLimits(t, "requests 0 report; ")
	st := c.r.Status.Bounded(c.now)
	c.r = Initial(c.p, &st)
	c.pass(59*time.Minute).wantLimits(t, "requests 0 report; ")
	c.pass(2*time.Minute).wantLimits(t, "")
}

// Users who are not administrators can make a provider look used up for a minute at a time, and
// for ten minutes in any hour, whatever they report and however often the daemon is restarted.
// They cannot hide what others know.
func TestLimits_NobodyMakesAProviderLookUsedUp(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK))
	used := 0
	for second := range 3600 {
		told := c.left(limit("requests", 0, c.now.Add(24*time.Hour)), limit(fmt.Sprint("of ", second), 0, time.Time{}))
		if c.r = HearLimits(c.r, &told, "uid 1000", c.p); c.shownLimits() != "" {
			used++
			if at := c.r.Status.UsedUp(c.now); at != nil && at.ResetsAt.Sub(c.now) > provider.LongestHearsay {
				t.Fatalf("others wait until %v", at.ResetsAt)
			}
		}
		c.pass(time.Second)
	}
	if used > 600 || used < 590 {
		t.Errorf("it looks used up for %d s in an hour", used)
	}
	c.wantLimits(t, "")

	c = begin(t, local())
	admin := c.left(limit("requests", 0, c.now.Add(time.Hour)), limit("tokens", 7, c.now.Add(time.Hour)))
	c.r = ApplyLimits(c.r, &admin, c.p)
	lie := c.left(limit("requests", 1000, c.now.Add(time.Second)), limit("tokens", 3, c.now.Add(time.Hour)))
	c.r = HearLimits(c.r, &lie, "uid 1000", c.p)
	c.wantLimits(t, "requests 0 report; tokens 3 reportuid 1000; ")
	st := c.r.Status.Bounded(c.now)
	c.r = Initial(c.p, &st)
	c.wantLimits(t, "requests 0 report; ")
	c.r = HearLimits(c.r, &lie, "uid 1000", c.p)
	c.wantLimits(t, "requests 0 report; ")
	c.pass(31 * time.Minute).r = HearLimits(c.r, &lie, "uid 1000", c.p)
}

// A user's request that was refused has used up a limit, even if the answer names none, or only
// others. The probe after the report, which asks for less, does not refute that; an answer that
// names the limit does.
func TestLimits_ARefusalHasUsedUpOne(t *testing.T) {
	met := func(c *course, reason provider.Reason, wait time.Duration, limits ...provider.Limit) {
		o := c.left(limits...)
		if o.Saw = reason; wait > 0 {
			o.RetryAt = c.now.Add(wait)
		}
		c.r = HearLimits(c.r, &o, "uid 1000", c.p)
	}
	for name, tt := range map[string]struct {
		reason provider.Reason
		wait   time.Duration
		limits []provider.Limit
		want   string
		lasts  time.Duration
	}{
		"Bare":           {provider.RateLimited, 0, nil, "requests 0 reportuid 1000; ", provider.LongestHearsay},
		"WithATime":      {provider.RateLimited, 5 * time.Second, nil, "requests 0 reportuid 1000; ", 5 * time.Second},
		"ForADay":        {provider.RateLimited, 24 * time.Hour, nil, "requests 0 reportuid 1000; ", provider.LongestHearsay},
		"ItNamesAnother": {provider.RateLimited, 0, []provider.Limit{limit("tokens", 0, time.Time{})}, "tokens 0 reportuid 1000; ", provider.LongestHearsay},
		"SomeIsLeft":     {provider.RateLimited, 0, []provider.Limit{limit("requests", 49, time.Time{})}, "requests 0 reportuid 1000; ", provider.LongestHearsay},
		"Overloaded":     {provider.Overloaded, 0, nil, "", 0},
		"Unauthorized":   {provider.Unauthorized, 0, nil, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := begin(t, local()).see(saw(provider.OK))
			began := c.now
			met(c, tt.reason, tt.wait, tt.limits...)
			c.wantLimits(t, tt.want)
			c.see(saw(provider.OK)).wantLimits(t, tt.want)
			if tt.lasts > 0 {
				c.now = began.Add(tt.lasts - time.Millisecond)
				c.wantLimits(t, tt.want)
				c.pass(time.Millisecond).wantLimits(t, "")
			}
		})
	}
	c := begin(t, local()).see(saw(provider.OK))
	met(c, provider.RateLimited, 0)
	o := saw(provider.OK)
	o.Limits = c.left(limit("requests", 59, c.now.Add(time.Minute))).Limits
	c.see(o).wantLimits(t, "requests 59 probe; ")

	used := 0
	c = begin(t, local()).see(saw(provider.OK))
	for range 3600 {
		if met(c, provider.RateLimited, time.Hour); c.r.Status.UsedUp(c.now) != nil {
			used++
		}
		if c.r.Status.State != provider.StateRunning || !c.r.Status.RetryAt.IsZero() {
			t.Fatalf("%s until %v", c.r.Status.State, c.r.Status.RetryAt)
		}
		c.pass(time.Second).see(saw(provider.OK))
	}
	if used > 600 || used < 590 {
		t.Errorf("it looks used up for %d s in an hour", used)
	}
}
