package ctl

import (
	"context"
)

// inFleet takes the words of the command line when other machines' servers are wanted too. The
// daemon is asked for all rows, because it does not know the others by an ID.
func (v *statusView) inFleet(words []string) {
	v.fleet = true
	v.query.IDs, v.sel.globs = nil, words
	if own, _ := split(words); len(words) > 0 && len(own) == 0 {
		v.query.MaxAge = nil // no other machine is asked to probe
	}
}

// addRemote puts the rows of other machines' servers after this machine's.
func (a *app) addRemote(ctx context.Context, body *statusBody) error {
	reply, err := a.theFleet(ctx)
	if err != nil {
		return err
	}
	rows := remoteRows(reply)
	ahead := body.TS.Sub(reply.TS.Time) // the replies are of one clock, read twice
	for i := range rows {
		if !rows[i].RetryAt.IsZero() {
			rows[i].RetryAt.Time = rows[i].RetryAt.Add(ahead)
		}
	}
	return body.add(rows)
}
