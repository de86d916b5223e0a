package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// followed is a provider whose vendor's status feed is followed.
func followed() *config.Provider {
	p := local()
	p.Type, p.Endpoint = provider.Cloud, "https://api.example.com"
	p.Feed = config.Feed{URL: "https://status.example.com/api/v2/summary.json", Format: config.Statuspage}
	return p
}

func incident(impact provider.Impact) *provider.Incident {
	return &provider.Incident{Name: "Elevated errors", Impact: impact, URL: "https://status.example.com/"}
}

// hear is what the vendor reports, a second after the last probe.
func (c *course) hear(vendor *provider.Incident) *course {
	c.t.Helper()
	now := c.now.Add(-time.Second)
	before := fmt.Sprintf("%+v", c.r)
	next, event := ApplyVendorStatus(c.r, vendor, c.p, now)
	if after := fmt.Sprintf("%+v", c.r); after != before {
		c.t.Errorf("ApplyVendorStatus modified the record it was given:\n%s\n%s", before, after)
	}
	if event != nil {
		c.events = append(c.events, *event)
	}
	c.r = next
	if c.r.Status.Incident != vendor {
		c.t.Errorf("the row's incident is %+v", c.r.Status.Incident)
	}
	return c
}

func (c *course) wantDetail(detail string) *course {
	c.t.Helper()
	if got := c.r.Status.Detail; got != detail {
		c.t.Errorf("detail %q, want %q", got, detail)
	}
	return c
}

func (c *course) wantEvents(want ...string) {
	c.t.Helper()
	var got []string
	for _, e := range c.events {
		got = append(got, fmt.Sprintf("%s>%s %s", e.From, e.To, e.Reason))
	}
	if !slices.Equal(got, want) {
		c.t.Errorf("events %q, want %q", got, want)
	}
}

func TestHear_OfOneThatAnswers(t *testing.T) {
	for _, tc := range []struct {
		impact provider.Impact
		state  provider.State
		reason provider.Reason
		detail string
	}{
		{provider.ImpactCritical, provider.StateDegraded, provider.VendorIncident, "vendor: Elevated errors"},
		{provider.ImpactMajor, provider.StateDegraded, provider.VendorIncident, "vendor: Elevated errors"},
		{provider.ImpactMinor, provider.StateRunning, provider.OK, "what was seen; vendor: Elevated errors"},
		{provider.ImpactMaintenance, provider.StateRunning, provider.OK, "what was seen; vendor: Elevated errors"},
		{provider.ImpactUnknown, provider.StateRunning, provider.OK, "what was seen; vendor: Elevated errors"},
	} {
		t.Run(string(tc.impact), func(t *testing.T) {
			heardLater := begin(t, followed()).see(saw(provider.OK)).hear(incident(tc.impact)).want(tc.state, tc.reason).wantDetail(tc.detail)
			heardFirst := begin(t, followed()).hear(incident(tc.impact)).see(saw(provider.OK)).want(tc.state, tc.reason).wantDetail(tc.detail)
			for name, c := range map[string]*course{"heard later": heardLater, "heard first": heardFirst} {
				c.see(saw(provider.OK)).want(tc.state, tc.reason).wantDetail(tc.detail)
				c.hear(nil).want(provider.StateRunning, provider.OK).wantDetail("what was seen")
				if hint := c.r.Status.Hint; hint != "" {
					t.Errorf("%s: after it is over the hint is %q", name, hint)
				}
			}
		})
	}
}

// What the vendor reports is shown at once, in both directions, and is not a probe.
func TestHear_CountsAtOnceAndIsNoProbe(t *testing.T) {
	p := followed()
	p.Rise, p.Fall = 3, 3
	c := begin(t, p).see(saw(provider.OK), saw(provider.OK), saw(provider.OK))
	was := c.r.Status
	c.hear(incident(provider.ImpactMajor)).want(provider.StateDegraded, provider.VendorIncident)
	st := c.r.Status
	if !st.CheckedAt.Equal(was.CheckedAt.Time) || st.LatencyMS != was.LatencyMS || st.Generation != was.Generation || st.Source != provider.FromProbe {
		t.Errorf("the row says it was probed: %+v", st)
	}
	if st.LastError != "vendor_incident: vendor: Elevated errors" || st.Hint == "" || !st.Since.Equal(c.now.Add(-time.Second)) {
		t.Errorf("%+v", st)
	}
	c.hear(incident(provider.ImpactMajor)) // said again
	c.hear(nil).want(provider.StateRunning, provider.OK)
	c.wantEvents("UNKNOWN>RUNNING ok", "RUNNING>DEGRADED vendor_incident", "DEGRADED>RUNNING ok")
}

// The row of a provider that does not answer shows what the probe saw.
func TestHear_OfOneThatDoesNotAnswer(t *testing.T) {
	for _, reason := range []provider.Reason{provider.ServerError, provider.Unauthorized, provider.QuotaExhausted, provider.Loading, provider.ConnectionRefused} {
		c := begin(t, followed()).see(saw(reason), saw(reason)).hear(incident(provider.ImpactCritical)).
			want(stateOf(reason), reason).wantDetail("what was seen")
		c.see(saw(reason)).want(stateOf(reason), reason)
		if c.r.Status.Incident == nil {
			t.Errorf("%s: the incident is forgotten", reason)
		}
		if len(c.events) != 1 {
			t.Errorf("%s: events %+v", reason, c.events)
		}
		c.see(saw(provider.OK)).want(provider.StateDegraded, provider.VendorIncident)
	}
}

// A problem with the models stays in the row: the end of the incident will not fix it. The
// incident explains slowness.
func TestHear_OfOneOfLimitedUse(t *testing.T) {
	none := saw(provider.OK)
	none.Facts.Models = []provider.Model{}
	begin(t, followed()).see(none).hear(incident(provider.ImpactMajor)).want(provider.StateDegraded, provider.NoModels)

	slow := saw(provider.OK)
	slow.Latency = time.Minute
	begin(t, followed()).see(slow, slow).want(provider.StateDegraded, provider.Slow).
		hear(incident(provider.ImpactMajor)).want(provider.StateDegraded, provider.VendorIncident).
		hear(incident(provider.ImpactMinor)).want(provider.StateDegraded, provider.Slow)
}

// A provider that fails during an incident fails for its own reasons, after as many probes as
// otherwise.
func TestHear_ThenItFails(t *testing.T) {
	c := begin(t, followed()).see(saw(provider.OK)).hear(incident(provider.ImpactMajor))
	c.see(saw(provider.Hung)).want(provider.StateDegraded, provider.VendorIncident)
	if d := c.r.Status.Doubt; !c.r.InDoubt(c.p) || d == nil || d.Count != 1 || d.Of != 2 {
		t.Errorf("no doubt is told: %+v", c.r.Status)
	}
	c.hear(incident(provider.ImpactMajor)).hear(nil) // doubt is for the next probe to end
	c.want(provider.StateDegraded, provider.VendorIncident)
	c.see(saw(provider.Hung)).want(provider.StateDegraded, provider.Hung)
	c.hear(incident(provider.ImpactMajor)).want(provider.StateDegraded, provider.Hung)
	c.see(saw(provider.OK)).want(provider.StateDegraded, provider.VendorIncident)
}

// A provider that was only degraded by its vendor needs no recovery after one doubtful probe.
func TestHear_ADoubtThatPasses(t *testing.T) {
	p := followed()
	p.Rise, p.Fall = 3, 3
	begin(t, p).see(saw(provider.OK), saw(provider.OK), saw(provider.OK)).hear(incident(provider.ImpactMajor)).
		see(saw(provider.Hung)).hear(nil).want(provider.StateDegraded, provider.VendorIncident).
		see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
}

// An incident does not replace the good answers that are still missing.
func TestHear_WhileItRecovers(t *testing.T) {
	p := followed()
	p.Rise = 3
	begin(t, p).see(saw(provider.Unauthorized), saw(provider.OK)).hear(incident(provider.ImpactMajor)).hear(nil).
		want(provider.StateError, provider.Unauthorized).
		see(saw(provider.OK), saw(provider.OK)).want(provider.StateRunning, provider.OK)
}

// Changes of the vendor's mind do not make a provider flap.
func TestHear_IsNoFlapping(t *testing.T) {
	c := begin(t, followed()).see(saw(provider.OK))
	for range 10 {
		c.hear(incident(provider.ImpactMajor)).hear(nil)
	}
	if strings.Contains(c.r.Status.Detail, "flapping") {
		t.Errorf("detail %q", c.r.Status.Detail)
	}
}

func TestHear_WhilePaused(t *testing.T) {
	c := begin(t, followed()).see(saw(provider.OK))
	c.r, _ = ApplyPause(c.r, true, c.p, c.now)
	c.hear(incident(provider.ImpactMajor)).want(provider.StateRunning, provider.Paused)
	c.r, _ = ApplyPause(c.r, false, c.p, c.now)
	c.hear(incident(provider.ImpactMajor)).want(provider.StateRunning, provider.NotChecked) // nobody looked yet
	c.see(saw(provider.OK)).want(provider.StateDegraded, provider.VendorIncident)
}

func TestHear_BeforeTheFirstProbe(t *testing.T) {
	begin(t, followed()).hear(incident(provider.ImpactMajor)).want(provider.StateUnknown, provider.NotChecked)
}

// A restored incident holds until the feed is read: it does not end and begin again because
// the daemon was restarted.
func TestHear_AfterARestart(t *testing.T) {
	stored := begin(t, followed()).see(saw(provider.OK)).hear(incident(provider.ImpactMajor)).r.Status
	t.Run("Followed", func(t *testing.T) {
		c := begin(t, followed())
		c.r = Initial(followed(), &stored)
		c.see(saw(provider.OK)).want(provider.StateDegraded, provider.VendorIncident)
		c.wantEvents()
		c.hear(nil).want(provider.StateRunning, provider.OK)
		c.wantEvents("DEGRADED>RUNNING ok")
	})
	t.Run("FollowedNoMore", func(t *testing.T) {
		p := followed()
		p.Feed = config.Feed{}
		c := begin(t, p)
		if c.r = Initial(p, &stored); c.r.Status.Incident != nil {
			t.Error("an incident that nobody will end")
		}
		c.see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
	})
}

// While this machine cannot tell, what the vendor reports is kept apart from the row; an outage
// of the machine neither ends nor begins an incident.
func TestHear_Offline(t *testing.T) {
	for name, cut := range map[string]func(c *course){
		"ByTheHost": func(c *course) { c.r = ApplyOutage(c.r, "this machine has no network", c.p, c.now) },
		"ByAProbe":  func(c *course) { c.seeWhile(MachineOut, saw(provider.NetworkUnreachable)) },
		"AfterDoubt": func(c *course) {
			c.seeWhile(MachineInDoubt, saw(provider.NetworkUnreachable)).seeWhile(MachineOut, saw(provider.NetworkUnreachable))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := begin(t, followed()).see(saw(provider.OK)).hear(incident(provider.ImpactMajor))
			cut(c)
			c.hear(incident(provider.ImpactMajor)).want(provider.StateUnknown, provider.Offline)
			c.hear(nil).hear(incident(provider.ImpactMajor)).want(provider.StateUnknown, provider.Offline)
			c.see(saw(provider.OK)).want(provider.StateDegraded, provider.VendorIncident)
			c.wantEvents("UNKNOWN>RUNNING ok", "RUNNING>DEGRADED vendor_incident")
		})
	}
}
