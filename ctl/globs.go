package ctl

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// globHelp is what the help of a command that takes [globs] says of them.
const globHelp = `An ID may be a pattern in quotes: 'gpu*', 'ollama:?', '*[!0-9]'.`

// isGlob reports whether somebody wrote a pattern, which no id can be: it has a
// character that ids lack.
func isGlob(word string) bool { return strings.ContainsAny(word, `*?[`) }

// hasGlob reports whether the ids have to be found out before anything can be asked of
// them.
func hasGlob(words []string) bool { return slices.ContainsFunc(words, isGlob) }

// match returns the ids that the patterns mean, each once: in the order of the
// patterns, and for one pattern in that of ids. A pattern is as shells read it: * is
// any text, ? any character, [a-c] one of those and [!a-c] another one. Without such a
// character it is an id as it stands. One that means none of the ids is an error.
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
	glob := strings.ReplaceAll(pattern, "[!", "[^") // which package path knows
	for _, id := range ids {
		ok := id == pattern
		if isGlob(pattern) {
			if ok, err = path.Match(glob, id); err != nil {
				return nil, usage("close the bracket: 'gpu[0-3]'; * means any text, and ? any character", "no pattern: %q", pattern)
			}
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

// matchesNone says what there is instead, as the daemon does of an id.
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
	if isGlob(pattern) {
		what = "no provider matches %q"
	}
	hint = provider.DidYouMean(strings.Trim(pattern, "*?"), ids, "", hint)
	return provider.Errorf(provider.UnknownProvider, hint, what, pattern)
}

// expand returns the ids that words mean. It asks the daemon which there are only where
// a word is a pattern; otherwise the words are the ids, and who takes them judges them.
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

// idsOf are the ids of rows.
func idsOf(rows []provider.Status) []string {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	return ids
}
