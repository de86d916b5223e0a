package mcp

import (
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// An answer is small, however long its parts are.
func TestPicked_IsSmall(t *testing.T) {
	long := strings.Repeat("<x>", 100)
	for _, url := range []string{"", "http://" + strings.Repeat("h", longestURL-7), "http://" + strings.Repeat("&", longestURL-7), strings.Repeat("u", 300)} {
		a := pickedOf(ctl.Choice{
			ID: strings.Repeat("i", 64), Kind: "openai-compatible", State: provider.StateDegraded, Reason: provider.RateLimited,
			BaseURL: url, KeyEnv: strings.Repeat("K", 100), Why: long,
		}, long)
		if got := size(a); got > most {
			t.Errorf("%d bytes with a URL of %d: %+v", got, len(url), a)
		}
	}
}

// An agent is sent to wait only if time may change something within the longest wait.
func TestNoneOf_SaysWhetherToWait(t *testing.T) {
	now := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	at := func(in time.Duration) provider.Time { return provider.Time{Time: now.Add(in)} }
	lacksTheModel := provider.Status{ID: "a", State: provider.StateRunning, Reason: provider.OK, NextCheckAt: at(3 * time.Second)}
	for _, tc := range []struct {
		name  string
		row   provider.Status
		retry int
		hint  string
	}{
		{"it lacks the model", lacksTheModel, 0, "ask the user"},
		{"it is down", provider.Status{ID: "a", State: provider.StateStopped, Reason: provider.ConnectionRefused, NextCheckAt: at(3 * time.Second)}, 3, "call wait_for_provider"},
		{"it is limited for long", provider.Status{ID: "a", State: provider.StateDegraded, Reason: provider.RateLimited, RetryAt: at(10 * time.Minute)}, 600, "do something else until then, or ask the user"},
	} {
		retry := soonest(&provider.StatusReply{TS: provider.Time{Time: now}, Providers: []provider.Status{tc.row}})
		a := noneOf(ctl.Choice{Rejected: []ctl.Rejection{{ID: "a"}}}, "m", retry, func(hint string) string { return hint })
		if a.Retry != tc.retry || a.Hint != tc.hint {
			t.Errorf("%s: retry in %d, %s", tc.name, a.Retry, a.Hint)
		}
	}
}
