package judge

import (
	"testing"

	"github.com/providerd/providerd/store/provider"
)

func TestJudge_Offline(t *testing.T) {
	o := saw(provider.NetworkUnreachable)
	c := begin(t, local()).see(saw(provider.OK))
	told := len(c.events)
	c.seeWhile(MachineInDoubt, o).seeWhile(MachineInDoubt, o).seeWhile(MachineInDoubt, o).want(provider.StateRunning, provider.OK)
	if d := c.r.Status.Doubt; d == nil || *d != (provider.Doubt{Saw: provider.NetworkUnreachable, Detail: "what was seen"}) {
		t.Errorf("doubt %+v", d)
	}
	c.r = ApplyOutage(c.r, "this machine has no network", c.p, c.now)
	c.want(provider.StateUnknown, provider.Offline)
	c.seeWhile(MachineOut, o).seeWhile(MachineOut, o).want(provider.StateUnknown, provider.Offline)
	if c.r.Status.Detail != "this machine has no network: what was seen" {
		t.Errorf("detail %q", c.r.Status.Detail)
	}
	c.see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
	if len(c.events) != told {
		t.Errorf("an outage of the host made events of the provider: %+v", c.events[told:])
	}
}

// A provider that comes back in another state gets an event, which begins with the state
// before the outage.
func TestJudge_OfflineAndThenSomethingElse(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK))
	c.r = ApplyOutage(c.r, "this machine has no network", c.p, c.now)
	c.see(saw(provider.DNSFailure)).want(provider.StateUnknown, provider.Offline) // doubtful, as ever
	c.see(saw(provider.DNSFailure)).want(provider.StateError, provider.DNSFailure)
	if last := c.events[len(c.events)-1]; last.From != provider.StateRunning || last.To != provider.StateError {
		t.Errorf("event %+v", last)
	}
}

// A provider that is new during an outage of this machine makes no event either.
func TestJudge_OfflineFromTheFirstResult(t *testing.T) {
	c := begin(t, local()).seeWhile(MachineOut, saw(provider.DNSFailure)).want(provider.StateUnknown, provider.Offline)
	c.see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
	if len(c.events) != 1 || c.events[0].From != provider.StateUnknown || c.events[0].To != provider.StateRunning {
		t.Errorf("events %+v", c.events)
	}
}
