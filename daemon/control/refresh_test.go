package control_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

func TestRefresh(t *testing.T) {
	t.Parallel()
	const path = "/api/providers/refresh"
	rows := []provider.Status{running("zeta"), running("alpha"), running("mid")}

	t.Run("OneIsAcceptedAtOnceAndLogged", func(t *testing.T) {
		r := start(t, control.Options{}, rows...)
		r.providers.onRefresh = func(ids []string, g uint64) schedule.Accepted { return schedule.Accepted{Generation: g, IDs: ids} }
		got := want[provider.RefreshReply](r, "POST", path+"?provider_id=alpha", 202)
		wanted := provider.RefreshReply{Status: "refresh_triggered", ProviderID: "alpha",
			Message: "Triggered refresh for provider: alpha", Generation: 1}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if !r.logged("triggered refresh for provider: alpha") {
			t.Error("it is not logged")
		}
	})
	t.Run("SeveralOnceEachInConfigurationOrder", func(t *testing.T) {
		r := start(t, control.Options{}, rows...)
		got := want[provider.RefreshReply](r, "POST", path+"?provider_id=mid&provider_id=zeta&provider_id=mid", 202)
		if diff := cmp.Diff([]string{"zeta", "mid"}, got.IDs); diff != "" {
			t.Errorf("provider_ids (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([][]string{{"zeta", "mid"}}, r.providers.refreshed); diff != "" {
			t.Errorf("refreshed (-want +got):\n%s", diff)
		}
	})
	t.Run("AllWhenNoneIsNamed", func(t *testing.T) {
		r := start(t, control.Options{}, rows...)
		got := want[provider.RefreshReply](r, "POST", path, 202)
		if got.Scope != "all" || got.Message != "Triggered refresh for all providers" || got.IDs != nil {
			t.Errorf("got %+v", got)
		}
		if r.providers.refreshed[0] != nil || !r.logged("triggered refresh for all providers") {
			t.Errorf("refreshed %v", r.providers.refreshed)
		}
	})
	t.Run("UnknownTriggersNothing", func(t *testing.T) {
		r := start(t, control.Options{}, rows...)
		got := want[provider.ErrorReply](r, "POST", path+"?provider_id=alpha&provider_id=nope", 404)
		if got.Error.Code != provider.UnknownProvider {
			t.Errorf("got %+v", got.Error)
		}
		if n, _ := r.providers.asked(); n != 0 {
			t.Error("a probe was asked for")
		}
	})
	t.Run("ForceIsHandedOn", func(t *testing.T) {
		r := start(t, control.Options{}, rows...)
		want[provider.RefreshReply](r, "POST", path+"?force=1", 202)
		if r.providers.forced != 1 {
			t.Error("it is not")
		}
	})
	t.Run("WaitReturnsRowsOfTheGeneration", func(t *testing.T) {
		r := start(t, control.Options{}, rows...)
		completed := make(chan struct{})
		r.providers.onRefresh = func(ids []string, g uint64) schedule.Accepted {
			go func() {
				defer close(completed)
				r.providers.complete("alpha", g-1) // of a probe that began before
				r.providers.complete("mid", g)
				r.providers.complete("alpha", g)
			}()
			return schedule.Accepted{Generation: g, IDs: ids}
		}
		got := want[provider.RefreshReply](r, "POST", path+"?provider_id=alpha&provider_id=mid&wait=30s", 200)
		<-completed
		if got.Status != "refreshed" || got.Error != nil {
			t.Errorf("got %+v", got)
		}
		if diff := cmp.Diff([]string{"alpha", "mid"}, ids(got.Providers)); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		for _, row := range got.Providers {
			if row.Generation < got.Generation {
				t.Errorf("%s has generation %d, want %d or later", row.ID, row.Generation, got.Generation)
			}
		}
	})
	t.Run("WaitThatTimesOutReturnsWhatThereIs", func(t *testing.T) {
		r := start(t, control.Options{}, rows...)
		r.providers.onRefresh = func(ids []string, g uint64) schedule.Accepted { return schedule.Accepted{Generation: g, IDs: ids} }
		got := want[provider.RefreshReply](r, "POST", path+"?provider_id=alpha&wait=10ms", 504)
		if got.Error == nil || got.Error.Code != provider.TimedOut || len(got.Providers) != 1 || got.Status != "refresh_triggered" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("WaitDoesNotWaitForTheSkipped", func(t *testing.T) {
		r := start(t, control.Options{}, rows...)
		skipped := provider.Skipped{ID: "alpha", Reason: provider.RateLimited, Message: "later"}
		r.providers.onRefresh = func(_ []string, g uint64) schedule.Accepted {
			return schedule.Accepted{Generation: g, Skipped: []provider.Skipped{skipped}}
		}
		got := want[provider.RefreshReply](r, "POST", path+"?provider_id=alpha&wait=1m", 200)
		if diff := cmp.Diff([]provider.Skipped{skipped}, got.Skipped); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("WaitEndsWhenTheProviderIsPaused", func(t *testing.T) {
		r := start(t, control.Options{}, rows...)
		r.providers.onRefresh = func(ids []string, g uint64) schedule.Accepted {
			r.providers.SetPaused("alpha", true)
			return schedule.Accepted{Generation: g, IDs: ids}
		}
		got := want[provider.RefreshReply](r, "POST", path+"?provider_id=alpha&wait=1m", 200)
		if len(got.Skipped) != 1 || got.Skipped[0].Reason != provider.Paused {
			t.Errorf("skipped: %+v", got.Skipped)
		}
	})
	t.Run("OneThatAReloadRemovedIsUnknown", func(t *testing.T) {
		for _, query := range []string{"?provider_id=alpha", "?provider_id=alpha&wait=1m"} {
			r := start(t, control.Options{}, rows...)
			r.providers.onRefresh = func(ids []string, g uint64) schedule.Accepted {
				r.store.Configure([]string{"zeta", "mid"}, nil)
				return schedule.Accepted{Generation: g}
			}
			if got := want[provider.ErrorReply](r, "POST", path+query, 404); got.Error.Code != provider.UnknownProvider {
				t.Errorf("%s: %+v", query, got.Error)
			}
		}
	})
	t.Run("ManyHaveFewLinesInTheLog", func(t *testing.T) {
		r := start(t, control.Options{}, rows...)
		const asked = 50
		began := time.Now()
		for range asked {
			want[provider.RefreshReply](r, "POST", path+"?provider_id=alpha", 202)
		}
		most := 1 + int(time.Since(began)/time.Second)
		lines, _ := r.lines.Tail(1000)
		said := map[string]int{}
		for _, l := range lines {
			if l.Message == "triggered refresh for provider: alpha" {
				said[l.Level]++
			}
		}
		if said["info"] < 1 || said["info"] > most || said["info"]+said["debug"] != asked {
			t.Errorf("%v for %d refreshes, want at most %d at info and the others at debug", said, asked, most)
		}
	})
	t.Run("RowsSayThatTheyAreNotStale", func(t *testing.T) {
		r := start(t, control.Options{}, rows...)
		_, body := r.do("POST", path+"?wait=1m", "")
		if n := strings.Count(body, `"stale":false`); n != len(rows) {
			t.Errorf("%d of %d rows do: %s", n, len(rows), body)
		}
	})
	t.Run("WaitEndsWithTheServer", func(t *testing.T) {
		r := start(t, control.Options{}, rows...)
		r.providers.onRefresh = func(ids []string, g uint64) schedule.Accepted {
			go r.server.Shutdown(context.Background())
			return schedule.Accepted{Generation: g, IDs: ids}
		}
		got := want[provider.RefreshReply](r, "POST", path+"?provider_id=alpha&wait=1m", 503)
		if got.Error == nil || got.Error.Code != provider.ShuttingDownNow {
			t.Errorf("got %+v", got)
		}
	})
}

func TestPause(t *testing.T) {
	r := start(t, control.Options{}, running("a"))
	if got := want[provider.Status](r, "POST", "/api/providers/a/pause", 200); !got.Paused {
		t.Errorf("after pause: %+v", got)
	}
	if got := want[provider.Status](r, "POST", "/api/providers/a/resume", 200); got.Paused {
		t.Errorf("after resume: %+v", got)
	}
	if !r.logged("paused provider: a") || !r.logged("resumed provider: a") {
		t.Error("the changes are not logged")
	}
}

// While changes wait for the disk, a row may happen to look as wanted although nothing of it has
// been saved.
func TestPause_RepliesOnceItIsSaved(t *testing.T) {
	t.Parallel()
	r := start(t, control.Options{}, running("a"))
	const burst = 8 // so many commits in a row; the next one waits
	for range burst {
		more := r.store.NextEvents()
		r.put(running("a"), &provider.Event{ID: "a", To: provider.StateRunning, Reason: provider.OK})
		<-more
	}
	r.providers.SetPaused("a", true) // waits for its commit
	if got := want[provider.Status](r, "POST", "/api/providers/a/resume", 200); got.Paused {
		t.Errorf("after resume: %+v", got)
	}
	if seq := r.store.View().Seq(); seq != burst+2 {
		t.Errorf("%d events are saved, want %d", seq, burst+2)
	}
}

func TestHistory_AddsUpTheEvents(t *testing.T) {
	r := start(t, control.Options{}, running("a"))
	began := time.Now().Add(-100 * time.Second)
	for _, e := range []provider.Event{
		{From: provider.StateUnknown, To: provider.StateStopped, Reason: provider.ConnectionRefused},
		{From: provider.StateStopped, To: provider.StateRunning, Reason: provider.OK, Time: provider.Time{Time: began.Add(25 * time.Second)}},
	} {
		e.ID = "a"
		if e.Time.IsZero() {
			e.Time.Time = began
		}
		more := r.store.NextEvents()
		r.put(running("a"), &e)
		<-more
	}
	got := want[provider.HistoryReply](r, "GET", "/api/providers/a/history", 200)
	stopped, ran := got.StateSeconds[provider.StateStopped], got.StateSeconds[provider.StateRunning]
	if stopped != 25 || ran < 75 {
		t.Errorf("STOPPED for %v s, want 25; RUNNING for %v s, want 75 and as long as this test took", stopped, ran)
	}
	if len(got.Transitions) != 2 || got.UptimeRatio == nil || math.Abs(*got.UptimeRatio-ran/(ran+stopped)) > 1e-4 {
		t.Errorf("got %+v", got)
	}
}
