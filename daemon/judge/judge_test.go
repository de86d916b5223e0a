package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func local() *config.Provider {
	return &config.Provider{
		ID: "ollama", Kind: "ollama", Type: provider.Local,
		BaseURL: "http://127.0.0.1:11434", Endpoint: "http://127.0.0.1:11434",
		Interval: 10 * time.Second, Timeout: 1500 * time.Millisecond, SlowAfter: time.Second, Rise: 1, Fall: 2,
	}
}

func saw(reason provider.Reason) probe.Observation {
	o := probe.Observation{Saw: reason, Detail: "what was seen"}
	if reason.Healthy() {
		o.Latency = 3 * time.Millisecond
	}
	return o
}

// course is one provider's life, a probe every two seconds.
type course struct {
	t      *testing.T
	p      *config.Provider
	r      Record
	now    time.Time
	events []provider.Event
}

func begin(t *testing.T, p *config.Provider) *course {
	return &course{t: t, p: p, r: Initial(p, nil), now: t0}
}

func (c *course) see(observations ...probe.Observation) *course {
	for _, o := range observations {
		c.seeWhile(MachineFine, o)
	}
	return c
}

func (c *course) seeWhile(machine MachineState, o probe.Observation) *course {
	o.Began = c.now
	before := fmt.Sprintf("%+v", c.r)
	next := c.r
	event := Judge(&next, &o, c.p, machine)
	if after := fmt.Sprintf("%+v", c.r); after != before {
		c.t.Errorf("Judge modified what a copy of the record shares with it:\n%s\n%s", before, after)
	}
	if event != nil {
		c.events = append(c.events, *event)
	}
	c.r = next
	c.now = c.now.Add(2 * time.Second)
	return c
}

func (c *course) want(state provider.State, reason provider.Reason) *course {
	c.t.Helper()
	if st := c.r.Status; st.State != state || st.Reason != reason {
		c.t.Errorf("%s %s (%s), want %s %s", st.State, st.Reason, st.Detail, state, reason)
	}
	return c
}

// From UNKNOWN the first result settles the state, whatever it is.
func TestJudge_FirstResultDecides(t *testing.T) {
	for _, m := range provider.Reasons {
		reason, state := m.Reason, stateOf(m.Reason)
		if state == "" || reason == provider.Offline {
			continue
		}
		if slices.Contains([]provider.Reason{provider.Slow, provider.NoModels, provider.ModelMissing, provider.VendorIncident}, reason) {
			continue // not for a probe alone to see: tested below
		}
		t.Run(string(reason), func(t *testing.T) {
			c := begin(t, local()).see(saw(reason)).want(state, reason)
			if len(c.events) != 1 || c.events[0].From != provider.StateUnknown || c.events[0].To != state {
				t.Errorf("events %+v", c.events)
			}
			if !reason.Healthy() && c.r.Status.Hint == "" {
				t.Errorf("%s has no hint", reason)
			}
		})
	}
}

// That a server hangs is learned when the timeout ends, not when the probe began.
func TestJudge_AnEventIsDatedByTheEndOfItsProbe(t *testing.T) {
	for _, reason := range []provider.Reason{provider.OK, provider.Hung, provider.Slow} {
		c := begin(t, local())
		o := saw(reason)
		o.Took = 1500 * time.Millisecond
		c.see(o)
		learned := t0.Add(o.Took)
		if got := c.events[0].Time.Time; !got.Equal(learned) {
			t.Errorf("the event of %s is dated %v, want %v", reason, got, learned)
		}
		if st := c.r.Status; !st.Since.Equal(learned) || !st.CheckedAt.Equal(t0) {
			t.Errorf("%s since %v, checked at %v; want %v and %v", reason, st.Since, st.CheckedAt, learned, t0)
		}
	}
}

func TestJudge_DefiniteEvidenceChangesTheStateAtOnce(t *testing.T) {
	for _, reason := range []provider.Reason{
		provider.ConnectionRefused, provider.NoCredentials, provider.WrongService, provider.Loading,
		provider.Unauthorized, provider.Forbidden, provider.QuotaExhausted, provider.RateLimited,
		provider.TLSFailure, provider.ShuttingDown,
	} {
		t.Run(string(reason), func(t *testing.T) {
			begin(t, local()).see(saw(provider.OK), saw(reason)).want(stateOf(reason), reason)
		})
	}
}

func TestJudge_DoubtfulEvidenceHasToBeSeenFallTimes(t *testing.T) {
	for _, reason := range []provider.Reason{
		provider.Hung, provider.ConnectionReset, provider.ConnectTimeout, provider.ServerError,
		provider.Overloaded, provider.DNSFailure, provider.NetworkUnreachable, provider.BadResponse,
	} {
		t.Run(string(reason), func(t *testing.T) {
			p := local()
			p.Fall = 3
			c := begin(t, p).see(saw(provider.OK), saw(reason), saw(reason)).want(provider.StateRunning, provider.OK)
			want := provider.Doubt{Saw: reason, Detail: "what was seen", Count: 2, Of: 3}
			if d := c.r.Status.Doubt; !c.r.InDoubt(p) || d == nil || *d != want {
				t.Errorf("doubt is not told: %+v", d)
			}
			if !strings.HasPrefix(c.r.Status.LastError, string(reason)) {
				t.Errorf("last error %q", c.r.Status.LastError)
			}
			c.see(saw(reason)).want(stateOf(reason), reason)
			if len(c.events) != 2 {
				t.Errorf("%d events, want 2: %+v", len(c.events), c.events)
			}
		})
	}
}

// The latency is that of the answer behind the row; a timeout has none.
func TestJudge_Latency(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK), saw(provider.Hung))
	if ms := c.r.Status.LatencyMS; ms != 3 {
		t.Errorf("%v ms while in doubt, want that of the last answer", ms)
	}
	c.see(saw(provider.Hung))
	if ms := c.r.Status.LatencyMS; ms != 0 || c.events[1].LatencyMS != 0 {
		t.Errorf("%v ms for silence", ms)
	}
}

func TestJudge_AGoodAnswerEndsTheDoubt(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK), saw(provider.Hung), saw(provider.OK), saw(provider.Hung)).
		want(provider.StateRunning, provider.OK)
	c.see(saw(provider.OK))
	if c.r.InDoubt(c.p) || c.r.Status.Doubt != nil {
		t.Errorf("still in doubt: %+v", c.r.Status.Doubt)
	}
	if len(c.events) != 1 {
		t.Errorf("events %+v", c.events)
	}
}

func TestJudge_DoubtsOfDifferentKindsAddUp(t *testing.T) {
	begin(t, local()).see(saw(provider.OK), saw(provider.Hung), saw(provider.ConnectionReset)).
		want(provider.StateDegraded, provider.ConnectionReset)
}

func TestJudge_RefusedAcrossTheNetworkIsDoubtful(t *testing.T) {
	p := local()
	p.BaseURL, p.Endpoint = "http://192.0.2.7:11434", "http://192.0.2.7:11434"
	begin(t, p).see(saw(provider.OK), saw(provider.ConnectionRefused)).want(provider.StateRunning, provider.OK).
		see(saw(provider.ConnectionRefused)).want(provider.StateStopped, provider.ConnectionRefused)
}

func TestJudge_RecoveryTakesRise(t *testing.T) {
	p := local()
	p.Rise = 3
	c := begin(t, p).see(saw(provider.ConnectionRefused), saw(provider.OK), saw(provider.OK)).
		want(provider.StateStopped, provider.ConnectionRefused)
	want := provider.Doubt{Saw: provider.OK, Detail: "what was seen", Count: 2, Of: 3}
	if d := c.r.Status.Doubt; d == nil || *d != want || !c.r.InDoubt(p) {
		t.Errorf("recovery is not told: %+v", d)
	}
	c.see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
}

func TestJudge_Slow(t *testing.T) {
	slow := saw(provider.OK)
	slow.Latency = 1200 * time.Millisecond
	c := begin(t, local()).see(slow).want(provider.StateRunning, provider.OK)
	if !c.r.InDoubt(c.p) {
		t.Error("one slow answer is looked at again soon")
	}
	c.see(slow).want(provider.StateDegraded, provider.Slow)
	if !strings.Contains(c.r.Status.Detail, "1.2s") {
		t.Errorf("detail %q", c.r.Status.Detail)
	}
	c.see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
}

func TestJudge_RecoveryFromSlowTakesRise(t *testing.T) {
	p := local()
	p.Rise = 2
	slow := saw(provider.OK)
	slow.Latency = 1200 * time.Millisecond
	begin(t, p).see(slow, slow, slow).want(provider.StateDegraded, provider.Slow).
		see(saw(provider.OK)).want(provider.StateDegraded, provider.Slow).
		see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
}

func TestJudge_RateLimitedCarriesRetryAt(t *testing.T) {
	o := saw(provider.RateLimited)
	o.RetryAt = t0.Add(time.Minute)
	c := begin(t, local()).see(saw(provider.OK), o).want(provider.StateDegraded, provider.RateLimited)
	if !c.r.Status.RetryAt.Equal(o.RetryAt) {
		t.Errorf("retry at %s", c.r.Status.RetryAt)
	}
	c.see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
	if !c.r.Status.RetryAt.IsZero() {
		t.Errorf("retry at %s after recovery", c.r.Status.RetryAt)
	}
}

// Overloaded is doubtful, unless the server says when to come back: it asked us not to probe
// sooner just to make sure.
func TestJudge_ARetryTimeIsDefinite(t *testing.T) {
	o := saw(provider.Overloaded)
	begin(t, local()).see(saw(provider.OK), o).want(provider.StateRunning, provider.OK)
	o.RetryAt = t0.Add(5 * time.Minute)
	c := begin(t, local()).see(saw(provider.OK), o).want(provider.StateDegraded, provider.Overloaded)
	if !c.r.Status.RetryAt.Equal(o.RetryAt) {
		t.Errorf("retry at %s", c.r.Status.RetryAt)
	}
}

// A doubt is still checked soon after a probe that failed by itself.
func TestJudge_ABrokenProbeLeavesTheDoubt(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK)).see(saw(provider.Hung))
	for _, o := range []provider.Reason{provider.Hung, provider.ProbeFailed} {
		if d := c.r.Status.Doubt; d == nil || d.Saw != provider.Hung || !c.r.InDoubt(c.p) {
			t.Errorf("before %s: doubt %+v, looked into soon: %t", o, d, c.r.InDoubt(c.p))
		}
		c.see(saw(provider.ProbeFailed))
	}
}

func TestJudge_AProbeThatBrokeLeavesTheState(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK), saw(provider.Hung), saw(provider.ProbeFailed)).
		want(provider.StateRunning, provider.ProbeFailed)
	if c.r.Run.Doubts != 1 {
		t.Errorf("doubts %d, want 1: it says nothing about the provider", c.r.Run.Doubts)
	}
	c.see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
}

func TestJudge_Flapping(t *testing.T) {
	c := begin(t, local())
	for range 5 {
		c.see(saw(provider.OK), saw(provider.ConnectionRefused))
	}
	if !strings.Contains(c.r.Status.Detail, "flapping (9 changes in 5 minutes)") {
		t.Errorf("detail %q", c.r.Status.Detail)
	}
	said := 0
	for _, e := range c.events {
		if strings.Contains(e.Detail, "flapping") {
			said++
		}
	}
	if said != 1 {
		t.Errorf("%d events say flapping, want 1: %+v", said, c.events)
	}
	c.now = c.now.Add(6 * time.Minute)
	c.see(saw(provider.ConnectionRefused))
	if strings.Contains(c.r.Status.Detail, "flapping") {
		t.Errorf("still flapping after a calm: %q", c.r.Status.Detail)
	}
}

func TestJudge_EventsSayWhatChanged(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK), saw(provider.OK), saw(provider.Unauthorized), saw(provider.QuotaExhausted))
	var got []string
	for _, e := range c.events {
		got = append(got, fmt.Sprintf("%s>%s %s", e.From, e.To, e.Reason))
	}
	want := []string{"UNKNOWN>RUNNING ok", "RUNNING>ERROR unauthorized", "ERROR>ERROR quota_exhausted"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if since := c.r.Status.Since; !since.Equal(t0.Add(4 * time.Second)) {
		t.Errorf("since %s: only a change of state moves it", since)
	}
}
