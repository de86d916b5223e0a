package ctl_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// What other screens count is what the line below the table counts, in the same words.
func TestNeeds_AreThoseOfTheTable(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) provider.Time { return provider.Time{Time: now.Add(d)} }
	row := func(id string, reason provider.Reason) provider.Status {
		return provider.Status{ID: id, Kind: "ollama", Type: provider.Local, Reason: reason, State: reason.Meaning().State}
	}
	paused, stale, later := row("paused", provider.OK), row("stale", provider.OK), row("limited", provider.RateLimited)
	paused.Paused, stale.Stale, later.RetryAt = true, true, at(time.Hour)
	rows := []provider.Status{
		row("ok", provider.OK), row("slow", provider.Slow), row("gone", provider.ConnectionRefused), row("loading", provider.Loading),
		row("key", provider.Unauthorized), row("quota", provider.QuotaExhausted), row("broken", provider.ServerError), paused, stale, later,
	}
	var table strings.Builder
	if err := ctl.WriteTable(&table, provider.StatusReply{TS: at(0), Providers: rows}, ctl.TableOptions{Summary: true, Now: now}); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, need := range ctl.Needs(rows, now) {
		total += need.Count
		if phrase := fmt.Sprintf("%d %s", need.Count, need.Name); !strings.Contains(table.String(), phrase) {
			t.Errorf("the table does not say %q:\n%s", phrase, table.String())
		}
		if need.Name == ctl.Limited && !need.First.Equal(later.RetryAt.Time) {
			t.Errorf("the first limit ends at %v", need.First)
		}
	}
	if total != len(rows) {
		t.Errorf("%d of %d rows are counted", total, len(rows))
	}
	last := -1
	for _, s := range ctl.ByUrgency(rows, now) {
		_, urgency := ctl.NeedOf(&s, now)
		if urgency < last {
			t.Errorf("%s comes too late", s.ID)
		}
		last = urgency
	}
}

func TestPickFrom_IsTheOneToUse(t *testing.T) {
	rows := []provider.Status{
		{ID: "cloud", Kind: "openai", Type: provider.Cloud, State: provider.StateRunning, Reason: provider.OK},
		{ID: "local", Kind: "ollama", Type: provider.Local, State: provider.StateRunning, Reason: provider.OK, Client: &provider.Client{OpenAIBaseURL: "http://127.0.0.1:1/v1"}},
	}
	pick, ok := ctl.PickFrom(&provider.StatusReply{TS: provider.Time{Time: time.Now()}, Providers: rows})
	if !ok || pick.ID != "local" || pick.BaseURL != "http://127.0.0.1:1/v1" {
		t.Errorf("it is %+v, %v", pick, ok)
	}
	if _, ok := ctl.PickFrom(&provider.StatusReply{}); ok {
		t.Error("there is one among none")
	}
	if env := strings.Join(ctl.Environment(&rows[1]), "\n"); !strings.Contains(env, "OPENAI_BASE_URL=http://127.0.0.1:1/v1") {
		t.Errorf("the environment is %s", env)
	}
}
