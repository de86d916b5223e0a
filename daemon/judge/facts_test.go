package judge

import (
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

func TestJudge_RestoredRow(t *testing.T) {
	stored := begin(t, local()).see(saw(provider.OK)).r.Status
	t.Run("StaysAndSaysSo", func(t *testing.T) {
		r := Initial(local(), &stored)
		if r.Status.State != provider.StateRunning || r.Status.Source != provider.FromRestored {
			t.Errorf("%+v", r.Status)
		}
	})
	t.Run("FirstResultDecides", func(t *testing.T) {
		c := begin(t, local())
		c.r = Initial(local(), &stored)
		c.see(saw(provider.Hung)).want(provider.StateDegraded, provider.Hung)
		if c.r.Status.Source != provider.FromProbe {
			t.Errorf("source %s", c.r.Status.Source)
		}
	})
	t.Run("InDoubtInAnOlderDaemonsWords", func(t *testing.T) {
		stored := stored
		stored.Detail = "in doubt (1 of 2): hung: no answer"
		st := Initial(local(), &stored).Status
		want := provider.Doubt{Saw: provider.Hung, Detail: "no answer", Count: 1, Of: 2}
		if st.Doubt == nil || *st.Doubt != want || st.Detail != "" {
			t.Errorf("doubt %+v, detail %q", st.Doubt, st.Detail)
		}
	})
	t.Run("OfAnotherEndpointIsNotTaken", func(t *testing.T) {
		p := local()
		p.Endpoint = "http://127.0.0.1:1"
		if r := Initial(p, &stored); r.Status.Reason != provider.NotChecked {
			t.Errorf("%+v", r.Status)
		}
	})
	t.Run("OfLocalhostIsTakenUnderTheAddressThatAnswered", func(t *testing.T) {
		p := local()
		p.Endpoint = "http://localhost:11434"
		stored := stored
		stored.Endpoint = "http://[::1]:11434"
		if r := Initial(p, &stored); r.Status.State != provider.StateRunning {
			t.Errorf("%+v", r.Status)
		}
	})
}

func TestJudge_Facts(t *testing.T) {
	models := func(ids ...string) probe.Observation {
		o := saw(provider.OK)
		o.Facts.Models = []provider.Model{}
		for _, id := range ids {
			o.Facts.Models = append(o.Facts.Models, provider.Model{ID: id})
		}
		return o
	}
	t.Run("NoModels", func(t *testing.T) {
		begin(t, local()).see(models()).want(provider.StateDegraded, provider.NoModels).
			see(saw(provider.OK)).want(provider.StateDegraded, provider.NoModels). // not asked is not "some"
			see(models("a")).want(provider.StateRunning, provider.OK)
	})
	t.Run("UnknownModelsAreNotNone", func(t *testing.T) {
		p := local()
		p.Models = []string{"a"}
		begin(t, p).see(saw(provider.OK)).want(provider.StateRunning, provider.OK)
	})
	t.Run("ModelMissing", func(t *testing.T) {
		p := local()
		p.Models = []string{"a", "b:1", "c"}
		c := begin(t, p).see(models("a:latest", "b:2")).want(provider.StateDegraded, provider.ModelMissing)
		if c.r.Status.Detail != "missing: b:1, c" {
			t.Errorf("detail %q", c.r.Status.Detail)
		}
	})
	t.Run("ModelMissingHintNamesIt", func(t *testing.T) {
		p := local()
		p.Models = []string{"a", "b:1", "it's odd"}
		p.Hints = provider.Hints{provider.ModelMissing: "pull it: ollama pull {model}", provider.NoModels: "pull one"}
		c := begin(t, p)
		for _, step := range []struct {
			has  []string
			hint string
		}{
			{nil, "pull it: ollama pull a"}, // of none at all, those that are wanted are missing
			{[]string{"a"}, "pull it: ollama pull b:1"},
			{[]string{"a", "b:1"}, `pull it: ollama pull 'it'\''s odd'`},
			{[]string{"b:1", "it's odd"}, "pull it: ollama pull a"},
		} {
			if c.see(models(step.has...)); c.r.Status.Hint != step.hint {
				t.Errorf("%q: hint %q, want %q", step.has, c.r.Status.Hint, step.hint)
			}
		}
		nothing := local()
		nothing.Hints = p.Hints
		if c := begin(t, nothing).see(models()); c.r.Status.Hint != "pull one" {
			t.Errorf("nothing is required: hint %q", c.r.Status.Hint)
		}
	})
	t.Run("KeptWhileNotAskedAndForgottenWhenGone", func(t *testing.T) {
		o := models("a")
		o.Facts.Version, o.Facts.Loaded = "1.2", []string{"a"}
		c := begin(t, local()).see(o, saw(provider.OK))
		if st := c.r.Status; st.Version != "1.2" || *st.ModelsCount != 1 || len(st.LoadedModels) != 1 {
			t.Errorf("forgot: %+v", st)
		}
		for _, gone := range []provider.Reason{provider.ConnectionRefused, provider.WrongService} {
			other := *c
			other.see(saw(gone))
			if st := other.r.Status; st.Version != "" || st.ModelsCount != nil {
				t.Errorf("%s: kept %+v", gone, st)
			}
		}
		c.see(saw(provider.ConnectionRefused))
		if st := c.r.Status; st.Version != "" || st.ModelsCount != nil || st.LoadedModels != nil || c.r.Models != nil {
			t.Errorf("kept: %+v", st)
		}
	})
	t.Run("LoadIsKeptWhileNotAskedAndForgottenInTrouble", func(t *testing.T) {
		asked := func(b *provider.Busy) probe.Observation {
			o := saw(provider.OK)
			o.Facts.Busy, o.Facts.LoadAsked = b, true
			return o
		}
		c := begin(t, local()).see(asked(&provider.Busy{Running: 2}))
		first := c.r.Status.Busy
		if first == nil || first.Running != 2 {
			t.Fatalf("%+v", first)
		}
		if c.see(saw(provider.OK)); c.r.Status.Busy != first {
			t.Error("forgotten by a probe that did not ask")
		}
		if c.see(asked(&provider.Busy{Running: 2})); c.r.Status.Busy != first {
			t.Error("what is the same takes memory again")
		}
		if c.see(asked(&provider.Busy{Running: 2, Waiting: new(int)})); c.r.Status.Busy == first || c.r.Status.Busy.Waiting == nil {
			t.Error("a queue that is reported and empty is taken for one that is not reported")
		}
		other := *c
		if other.see(asked(nil)); other.r.Status.Busy != nil {
			t.Error("kept, although the server does not report it any more")
		}
		if c.see(saw(provider.ServerError)); c.r.Status.Busy != nil {
			t.Error("kept of a server in trouble")
		}
	})
	t.Run("NoteIsTheDetail", func(t *testing.T) {
		o := models("a")
		o.Facts.Note = "a model is loading"
		c := begin(t, local()).see(o).want(provider.StateRunning, provider.OK)
		c.see(saw(provider.OK)) // not asked again
		if c.r.Status.Detail != "a model is loading" {
			t.Errorf("detail %q", c.r.Status.Detail)
		}
		c.see(models("a"))
		if c.r.Status.Detail != "what was seen" {
			t.Errorf("detail %q", c.r.Status.Detail)
		}
	})
}
