package control_test

import (
	"context"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

func TestDiagnose(t *testing.T) {
	t.Parallel()
	const path = "/api/providers/a/diagnose"

	t.Run("EvidenceOfAProbeThatBeganAfterIt", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		completed := make(chan struct{})
		r.providers.onRefresh = func(ids []string, g uint64) schedule.Accepted {
			go func() {
				defer close(completed)
				r.providers.complete("a", g-1) // of a probe that began before
				r.providers.complete("a", g)
			}()
			return schedule.Accepted{Generation: g, IDs: ids}
		}
		got := want[provider.DiagnoseReply](r, "POST", path, 200)
		<-completed
		if got.ID != "a" || got.Verdict.Detail != "generation 1" || got.Generation != 1 || got.Skipped != nil || got.Error != nil {
			t.Errorf("got %+v", got)
		}
		if last := want[provider.Diagnostics](r, "GET", "/api/providers/a/diagnostics", 200); last.Verdict.Detail != "generation 1" {
			t.Errorf("the last evidence is %+v", last)
		}
		if n, _ := r.providers.asked(); n != 1 || !r.logged("triggered refresh for provider: a") {
			t.Errorf("%d refreshes", n)
		}
	})
	t.Run("TheLastEvidenceWhenNoneCameInTime", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		r.providers.complete("a", 7)
		r.providers.onRefresh = func(ids []string, g uint64) schedule.Accepted {
			return schedule.Accepted{Generation: 8, IDs: ids}
		}
		got := want[provider.DiagnoseReply](r, "POST", path+"?wait=10ms", 504)
		if got.Error == nil || got.Error.Code != provider.TimedOut || got.Verdict.Detail != "generation 7" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("RefusedSaysWhyAndShowsTheLast", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		r.providers.complete("a", 7)
		skipped := provider.Skipped{ID: "a", Reason: provider.RateLimited, Message: "later"}
		r.providers.onRefresh = func(ids []string, g uint64) schedule.Accepted {
			return schedule.Accepted{Generation: 8, Skipped: []provider.Skipped{skipped}}
		}
		got := want[provider.DiagnoseReply](r, "POST", path+"?wait=1m", 200)
		if got.Skipped == nil || *got.Skipped != skipped || got.Verdict.Detail != "generation 7" {
			t.Errorf("got %+v", got)
		}
		if r.providers.forced != 0 {
			t.Error("it was forced")
		}
		want[provider.DiagnoseReply](r, "POST", path+"?force=1", 200)
		if r.providers.forced != 1 {
			t.Error("force is not handed on")
		}
	})
	t.Run("PausedMeanwhile", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		r.providers.onRefresh = func(ids []string, g uint64) schedule.Accepted {
			r.providers.SetPaused("a", true)
			return schedule.Accepted{Generation: g, IDs: ids}
		}
		got := want[provider.DiagnoseReply](r, "POST", path, 200)
		if got.Skipped == nil || got.Skipped.Reason != provider.Paused {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("NextIsAsOfNow", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		st := r.providers.store.View().Row("a").Status // it was paused since, and has no next
		st.NextCheckAt = provider.Time{}
		r.providers.store.Put(store.Update{Status: st, Diagnostics: &provider.Diagnostics{
			ID: "a", Verdict: provider.Verdict{NextCheck: provider.Time{Time: time.Now().Add(time.Minute)}},
		}})
		if got := want[provider.Diagnostics](r, "GET", "/api/providers/a/diagnostics", 200); !got.Verdict.NextCheck.IsZero() {
			t.Errorf("next check at %v", got.Verdict.NextCheck)
		}
	})
	t.Run("UnknownProbesNothing", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		want[provider.ErrorReply](r, "POST", "/api/providers/nope/diagnose", 404)
		want[provider.ErrorReply](r, "GET", path, 405)
		want[provider.ErrorReply](r, "POST", path+"?max_age=1s", 400)
		if n, _ := r.providers.asked(); n != 0 {
			t.Error("a probe was asked for")
		}
	})
	t.Run("EndsWithTheServer", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		r.providers.onRefresh = func(ids []string, g uint64) schedule.Accepted {
			go r.server.Shutdown(context.Background())
			return schedule.Accepted{Generation: g, IDs: ids}
		}
		got := want[provider.DiagnoseReply](r, "POST", path+"?wait=1m", 503)
		if got.Error == nil || got.Error.Code != provider.ShuttingDownNow {
			t.Errorf("got %+v", got)
		}
	})
}
