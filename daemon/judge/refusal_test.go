package judge

import (
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// The hint is the one that a probe found, for as long as what it saw holds. A doubt leaves
// the hint of what still holds.
func TestHint_OfWhatWasSeen(t *testing.T) {
	const own = "restart the gateway before {endpoint}, then: providerctl refresh {id}"
	forbidden := saw(provider.Forbidden)
	forbidden.Hint = own
	p := local()
	c := begin(t, p).see(forbidden)
	want := "restart the gateway before " + p.Endpoint + ", then: providerctl refresh " + p.ID
	if got := c.r.Status.Hint; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := c.see(saw(provider.Hung)).r.Status.Hint; got != want {
		t.Errorf("in doubt: got %q, want %q", got, want)
	}
	plain := begin(t, p).see(saw(provider.Forbidden)).r.Status.Hint
	if got := c.see(saw(provider.Forbidden)).r.Status.Hint; got == want || got != plain {
		t.Errorf("seen without a hint: got %q, want %q", got, plain)
	}
	if got := c.see(forbidden, saw(provider.OK)).r.Status.Hint; got != "" {
		t.Errorf("running: %q", got)
	}
	if got := begin(t, p).see(forbidden, saw(provider.Unauthorized)).r.Status.Hint; got == want {
		t.Errorf("another reason: %q", got)
	}
}

// If an address where the provider worked before now refuses, it is probed again before the
// judge believes in another program: a proxy may say the same while its server is down. That
// holds across a restart too.
func TestJudge_RefusalOfAKnownAddressIsDoubtful(t *testing.T) {
	refusal := saw(provider.WrongService)
	refusal.Refusal = true
	p := local()
	if st := begin(t, p).see(refusal).r.Status; st.Reason != provider.WrongService {
		t.Errorf("never well: %s", st.Reason)
	}
	well := saw(provider.OK)
	well.Facts.Models = []provider.Model{{ID: "a"}}
	known := begin(t, p).see(well)
	restored := known.r.Status
	c := known.see(refusal)
	if st := c.r.Status; st.Reason != provider.OK || st.Doubt == nil || st.Doubt.Saw != provider.WrongService || !c.r.InDoubt(p) || st.ModelsCount == nil {
		t.Errorf("known: %s, doubt %v, models %v", st.Reason, st.Doubt, st.ModelsCount)
	}
	if o := refusal; c.r.Definite(&o, p) {
		t.Error("the evidence says that it is definite")
	}
	if st := c.see(refusal).r.Status; st.Reason != provider.WrongService || st.ModelsCount != nil || !strings.Contains(st.Hint, "worked before: start its server") {
		t.Errorf("twice: %s, models %v, hint %q", st.Reason, st.ModelsCount, st.Hint)
	}
	r := Initial(p, &restored)
	Judge(&r, &refusal, p, MachineFine)
	if st := r.Status; st.Reason != provider.OK || st.Doubt == nil {
		t.Errorf("after a restart: %s, doubt %v", st.Reason, st.Doubt)
	}
	if st := begin(t, p).see(well, saw(provider.WrongService)).r.Status; st.Reason != provider.WrongService {
		t.Errorf("another program that says who it is: %s", st.Reason)
	}
}
