package judge

import (
	"testing"

	"github.com/providerd/providerd/store/provider"
)

func TestJudge_Pause(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK))
	r, event := ApplyPause(c.r, true, c.p, c.now)
	c.r = r
	c.want(provider.StateRunning, provider.Paused)
	if !r.Status.Paused || event == nil || r.Status.Hint != "probing is paused: providerctl resume ollama" {
		t.Errorf("%+v %+v", r.Status, event)
	}
	if _, again := ApplyPause(r, true, c.p, c.now); again != nil {
		t.Error("pausing twice is an event")
	}
	c.r, _ = ApplyPause(c.r, false, c.p, c.now)
	if c.r.Status.Paused {
		t.Error("still paused")
	}
	c.see(saw(provider.Hung)).want(provider.StateDegraded, provider.Hung) // the first result decides
}
