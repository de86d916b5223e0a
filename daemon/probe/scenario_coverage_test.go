package probe_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// atLeast is how many files the corpus has.
const atLeast = 150

// everyWeb are the reasons that a server can cause for every kind that uses HTTP.
var everyWeb = []provider.Reason{
	provider.OK, provider.ConnectionRefused, provider.Hung, provider.ConnectionReset, provider.TLSFailure,
	provider.WrongService, provider.BadResponse, provider.Unauthorized, provider.Forbidden,
	provider.QuotaExhausted, provider.RateLimited, provider.Overloaded, provider.ServerError, provider.Intermediary, provider.Loading,
}

// everyRule are the rules for how a server says over HTTP, under any status and in any
// envelope, what is wrong with the account and when to come back. Each kind is shown with
// each of them, by a rule or by a file of its own.
var everyRule = []string{
	"400-key-expired", "400-key-reason", "400-key-code", "400-arrears", "400-budget", "400-shut-out", "400-throttling",
	"401-quota", "401-quota-detail",
	"403-key-leaked", "403-key-suspended", "403-key-revoked", "403-key-text", "403-key-limit", "403-overdue", "403-rate-limit",
	"429-per-minute", "429-per-day", "429-per-day-and-when", "429-limit-of-zero", "429-epoch-ms", "429-go-duration",
	"429-metadata-headers", "429-body-seconds", "429-prose", "429-prose-seconds",
	"500-insufficient-balance", "500-key", "503-loading",
}

// everyAdmission are the rules for an error with a success status, which a kind that uses
// HTTP shows unless any answer may be right.
var everyAdmission = []string{"200-error", "200-error-key", "200-error-quota", "200-error-limit", "200-error-loading"}

// owed are the reasons for which a kind must have scenarios.
func owed(k config.Kind) []provider.Reason {
	switch {
	case !isWeb(k):
		return nil // its server may be none that a scenario can have
	case k.Type == provider.Generic: // any shape may be right
		return slices.DeleteFunc(slices.Clone(everyWeb), func(r provider.Reason) bool { return r == provider.WrongService })
	case k.KeyNeeded:
		return append([]provider.Reason{provider.NoCredentials}, everyWeb...)
	}
	return everyWeb
}

// owedRules are the rules that a kind must be shown with.
func owedRules(k config.Kind) []string {
	switch {
	case !isWeb(k):
		return nil
	case k.Type == provider.Generic:
		return everyRule
	}
	return append(slices.Clone(everyRule), everyAdmission...)
}

// TestScenarios_Coverage counts the scenarios of each kind by the reason they want (-v
// prints them), and reports what no scenario covers.
func TestScenarios_Coverage(t *testing.T) {
	all := scenarios(t)
	if len(all) < atLeast {
		t.Errorf("%d scenarios, want %d at least", len(all), atLeast)
	}
	told := map[string]map[provider.Reason]int{}
	for _, k := range probe.Kinds() {
		told[k.Name] = map[provider.Reason]int{}
	}
	for _, s := range all {
		kinds := s.casts(t)
		for _, k := range kinds {
			told[k.Name][s.Want.Reason]++
		}
		if s.folder != general && (len(kinds) == 0 || kinds[0].Name != s.folder) {
			t.Errorf("%s: it is of %q, and not of its folder's kind", s.path(), s.Kinds)
		}
	}
	for _, k := range probe.Kinds() {
		h := find(t, k.Name, "healthy")
		switch {
		case h == nil && !isWeb(k):
			continue
		case h == nil:
			t.Errorf("%s has no healthy.toml", k.Name)
			continue
		}
		if facts := h.Provider.Facts; h.Want.Reason != provider.OK || facts != nil && !*facts || isWeb(k) && len(h.Want.Requests) == 0 {
			t.Errorf("%s: it must be ok, ask for the facts, and list the requests", h.path())
		}
		var missing []string
		for _, reason := range owed(k) {
			if told[k.Name][reason] == 0 {
				missing = append(missing, string(reason))
			}
		}
		for _, rule := range owedRules(k) {
			if s := find(t, general, rule); find(t, k.Name, rule) == nil && (s == nil || !slices.ContainsFunc(s.casts(t), func(cast config.Kind) bool { return cast.Name == k.Name })) {
				missing = append(missing, "the rule "+rule)
			}
		}
		if len(missing) > 0 {
			t.Errorf("%s: no scenario for %s", k.Name, strings.Join(missing, ", "))
		}
		t.Log(countOf(k.Name, told[k.Name]))
	}
}

func countOf(kind string, told map[provider.Reason]int) string {
	var counts []string
	for reason, n := range told {
		counts = append(counts, fmt.Sprintf("%s %d", reason, n))
	}
	slices.Sort(counts)
	return fmt.Sprintf("%-18s %s", kind, strings.Join(counts, ", "))
}
