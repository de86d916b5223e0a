package ctl

import (
	"context"
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// globHelp explains patterns in the help of a command that takes them.
const globHelp = `An ID can be a pattern in quotes: 'gpu*', 'ollama:?', '*[!0-9]'.`

// hasGlob reports whether any word is a pattern, so that the IDs have to be looked up first.
func hasGlob(words []string) bool { return slices.ContainsFunc(words, provider.IsGlob) }

// match returns the ids that the patterns match, each once: in the order of the patterns
// and, for one pattern, in that of ids. [provider.MatchGlob] says what patterns are. It fails if
// one matches nothing.
func match(patterns, ids []string) ([]string, error) {
	var found []string
	for _, pattern := range patterns {
		hits, err := matchOne(pattern, ids)
		if err != nil {
			return nil, err
		}
		for _, id := range hits {
			if !slices.Contains(found, id) {
				found = append(found, id)
			}
		}
	}
	return found, nil
}

func matchOne(pattern string, ids []string) (hits []string, err error) {
	for _, id := range ids {
		ok, err := provider.MatchGlob(pattern, id)
		if err != nil {
			return nil, usage("close the bracket: 'gpu[0-3]'; * means any text, and ? any character", "bad pattern: %q", pattern)
		}
		if ok {
			hits = append(hits, id)
		}
	}
	if len(hits) == 0 {
		return nil, matchesNone(pattern, ids)
	}
	return hits, nil
}

// matchesNone lists what there is instead, as the daemon does for an ID.
func matchesNone(pattern string, ids []string) error {
	const most = 10 // are listed
	hint := "none is configured"
	if len(ids) > 0 {
		hint = "configured: " + strings.Join(ids[:min(most, len(ids))], ", ")
	}
	if len(ids) > most {
		hint += ", …"
	}
	what := "no such provider: %q"
	if provider.IsGlob(pattern) {
		what = "no provider matches %q"
	}
	if isRemote(pattern) && !slices.ContainsFunc(ids, isRemote) {
		hint = "see which servers other machines have: providerctl status --fleet"
	}
	hint = provider.DidYouMean(strings.Trim(pattern, "*?"), ids, "", hint)
	return provider.Errorf(provider.UnknownProvider, hint, what, pattern)
}

// expand returns the IDs that words mean. It asks the daemon for all IDs only if a word is
// a pattern; otherwise the words are the IDs, and their use shows whether they exist.
func (a *app) expand(ctx context.Context, words []string) ([]string, error) {
	if !hasGlob(words) {
		return words, nil
	}
	reply, err := a.client.Status(ctx, client.StatusQuery{})
	if err != nil {
		return nil, err
	}
	return match(words, idsOf(reply.Providers))
}

// idsOf are the IDs of rows.
func idsOf(rows []provider.Status) []string {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	return ids
}
