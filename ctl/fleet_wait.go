package ctl

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// named returns the IDs that words mean; see [app.named].
func (w *waiting) named(ctx context.Context, words []string) ([]string, error) {
	if !w.fleet {
		return w.app.named(ctx, words)
	}
	rows, err := w.rows(ctx)
	if err != nil {
		return nil, err
	}
	return match(words, withAway(idsOf(rows), words))
}

// withAway adds to the known IDs the words that name a server of a machine of which no server is
// known: the machine may come.
func withAway(known, words []string) []string {
	for _, word := range words {
		member, _, remote := strings.Cut(word, onMember)
		if remote && !provider.IsGlob(word) && !slices.ContainsFunc(known, func(id string) bool { return strings.HasPrefix(id, member+onMember) }) {
			known = append(known, word)
		}
	}
	return known
}

// rows are all rows that can be waited for.
func (w *waiting) rows(ctx context.Context) ([]provider.Status, error) {
	reply, err := w.app.client.Status(ctx, client.StatusQuery{})
	if err != nil || !w.fleet {
		return rowsIn(reply), err
	}
	others, err := w.app.theFleet(ctx)
	if err != nil {
		return nil, err
	}
	return append(reply.Providers, remoteRows(others)...), nil
}

// look returns the row of a provider as it is now. Another machine is not asked to probe. If it is
// away, that can be waited for too.
func (w *waiting) look(ctx context.Context, id string, maxAge time.Duration) (*provider.Status, error) {
	if !isRemote(id) {
		return w.app.probed(ctx, id, maxAge)
	}
	others, err := w.app.theFleet(ctx)
	if err != nil {
		return nil, err
	}
	member, _, _ := strings.Cut(id, onMember)
	if !slices.ContainsFunc(others.Hosts, func(h provider.FleetHost) bool { return h.Member == member }) {
		hint := "see whether " + member + " is a member: providerctl fleet"
		return &provider.Status{ID: id, State: provider.StateUnknown, Reason: provider.NotChecked, Hint: hint, Stale: true}, nil
	}
	rows, err := chosenRows(remoteRows(others), []string{id})
	if err != nil {
		return nil, err
	}
	s := &rows[0]
	s.AgeMS = nil // nothing is gained by asking at another pace than a probe's
	return s, nil
}
