package schedule

import (
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/store/provider"
)

// Whatever a plug-in reports and however slow it is, it is only run sooner when in doubt.
func TestCadence_Plugin(t *testing.T) {
	p := settings("a")
	p.Type, p.Command, p.Interval = provider.Generic, []string{"/check"}, time.Hour
	for reason, state := range map[provider.Reason]provider.State{
		provider.OK: provider.StateRunning, provider.Slow: provider.StateDegraded,
		provider.CheckWarning: provider.StateDegraded, provider.CheckCritical: provider.StateError,
		provider.CheckUnknown: provider.StateUnknown, provider.NotFound: provider.StateError,
	} {
		r := judge.Record{Status: provider.Status{State: state, Reason: reason}}
		if wait := cadence(&r, &p, time.Now()); wait != p.Interval {
			t.Errorf("%s: %s", reason, wait)
		}
	}
}

// A row is not stale while probes that take their whole timeout follow each other.
func TestTimeToLive_TimeoutLongerThanTheInterval(t *testing.T) {
	p := settings("a")
	p.Interval, p.Timeout = 2*time.Second, 20*time.Second
	r := judge.Record{Status: provider.Status{State: provider.StateUnknown, Reason: provider.CheckUnknown}}
	if ttl := timeToLive(&r, &p, time.Now()); ttl <= 2*p.Timeout {
		t.Errorf("stale after %s", ttl)
	}
}

// A due time is measured by the monotonic clock, and is never sooner than a provider may be probed
// again.
func TestNext(t *testing.T) {
	p := settings("a")
	for _, state := range provider.States {
		for _, interval := range []time.Duration{time.Second, 2 * time.Second, 10 * time.Second, time.Hour} {
			p.Interval = interval
			r := judge.Record{Status: provider.Status{State: state, Reason: provider.OK}}
			for i := range 100 {
				now := time.Now()
				due, ttl := next(&r, &p, now, float64(i)/100, i%2 == 0)
				if !strings.Contains(due.String(), "m=") {
					t.Fatalf("%s has no monotonic reading", due)
				}
				if wait := due.Sub(now); wait < minGap || wait > ttl {
					t.Fatalf("%s every %s: due after %s, stale after %s", state, interval, wait, ttl)
				}
			}
		}
	}
}

// A due time with only a wall clock reading, as from the database, does not move when that clock is
// set. (In a synctest bubble times have no monotonic reading.)
func TestAnchored(t *testing.T) {
	now := time.Now()
	for _, wait := range []time.Duration{-time.Hour, 0, time.Hour} {
		due := anchored(now.Round(0).Add(wait), now)
		if !due.Equal(now.Add(wait)) || due == due.Round(0) {
			t.Errorf("in %s: %v", wait, due)
		}
	}
	r := judge.Record{Status: provider.Status{State: provider.StateDegraded, RetryAt: provider.Time{Time: now.Round(0).Add(time.Hour)}}}
	p := cloud("a")
	if due, _ := next(&r, &p, now, 0.5, false); due == due.Round(0) {
		t.Errorf("the next probe moves with the clock: %v", due)
	}
}
