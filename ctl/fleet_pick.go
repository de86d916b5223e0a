package ctl

import (
	"context"
	"slices"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// wanted returns the rows that a pick is about: this machine's as sq has them, then those of
// other machines.
func (a *app) wanted(ctx context.Context, q *pickQuery, sq client.StatusQuery) (*provider.StatusReply, error) {
	if q.others == nil {
		return a.ownRows(ctx, q, q.ids, sq)
	}
	own, named := split(q.ids)
	reply := &provider.StatusReply{TS: q.others.TS}
	if len(q.ids) == 0 || len(own) > 0 || q.asksForAll(&sq) {
		var err error
		if reply, err = a.ownRows(ctx, q, own, sq); err != nil {
			return nil, err
		}
	}
	switch {
	case len(q.ids) > 0 && len(named) == 0:
		return reply, nil
	case len(q.ids) > 0 && len(own) == 0:
		reply.Providers = nil
	}
	rows, err := chosenRows(remoteRows(q.others), named)
	if err != nil {
		return nil, err
	}
	reply.Providers = append(reply.Providers, rows...)
	return reply, nil
}

// asksForAll reports whether a query asks for the rows of all providers, whichever are wanted:
// run must know whose key is whose, and asks once for both. A probe is only for those that
// are wanted.
func (q *pickQuery) asksForAll(sq *client.StatusQuery) bool { return q.owners && sq.MaxAge == nil }

// ownRows returns the rows of this machine's providers with the given IDs; without IDs, of all.
func (a *app) ownRows(ctx context.Context, q *pickQuery, ids []string, sq client.StatusQuery) (*provider.StatusReply, error) {
	if !q.asksForAll(&sq) {
		sq.IDs = ids
		return a.client.Status(ctx, sq)
	}
	reply, err := a.client.Status(ctx, sq)
	if err != nil {
		return nil, err
	}
	q.all = slices.Clone(reply.Providers)
	if len(ids) == 0 {
		return reply, nil
	}
	if _, err := chosenRows(q.all, ids); err != nil {
		sq.IDs = ids
		return a.client.Status(ctx, sq) // the daemon's error says which ID is unknown, and what it may mean
	}
	reply.Providers = slices.DeleteFunc(reply.Providers, func(s provider.Status) bool { return !slices.Contains(ids, s.ID) })
	return reply, nil
}

// modelsOf is what a candidate lists. Another machine's list has no time unless it is complete,
// or has the wanted model.
func (a *app) modelsOf(ctx context.Context, q *pickQuery, c *candidate) (*provider.ModelsReply, error) {
	if !isRemote(c.ID) {
		return a.client.Models(ctx, c.ID)
	}
	list := &provider.ModelsReply{ID: c.ID}
	if q.model == "" {
		list.Models = remoteModels(q.others, c.ID)
		return list, nil
	}
	lists, known := remoteLists(q.others, c.ID, q.model)
	if lists {
		list.Models = []provider.Model{{ID: q.model}}
	}
	if lists || known {
		list.CheckedAt = q.others.TS
	}
	return list, nil
}

// remoteUnusable is why another machine's server cannot be used from here now, and what to do;
// empty if it can.
func (c *candidate) remoteUnusable(now time.Time, model string) (why, hint string) {
	switch {
	case c.Stale:
		return describe(c.Status) + ", as last known before this machine was cut off from its fleet", "see: providerctl fleet"
	case c.Endpoint == "":
		return describe(c.Status) + ", for its own machine only", "configure it there with a base_url that other machines can use"
	case !reachesHere(c.Endpoint):
		return describe(c.Status) + ", at an address that other machines cannot use: " + c.Endpoint, ""
	}
	return c.unusable(now, model)
}

// named is the candidate's ID on a command line.
func (c *candidate) named() string {
	if isRemote(c.ID) {
		return c.ID + " --fleet"
	}
	return c.ID
}
