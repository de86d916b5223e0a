package ctl

import (
	"context"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// CardHistory reads what a card shows of a provider's history: its changes, as far back as
// they are kept, and the time in states of the last 24 hours. If the daemon is too old for
// that, or cannot read it now, it is the time since the daemon's start.
func CardHistory(ctx context.Context, c *client.Client, id string) (*provider.HistoryReply, error) {
	all, err := c.History(ctx, id)
	if err != nil {
		return nil, err
	}
	day, err := c.HistoryOf(ctx, client.HistoryQuery{ID: id, Window: provider.Daily, Step: provider.StepName(provider.Hourly)})
	if err != nil || day.Window == nil || day.UptimeRatio == nil {
		return all, nil
	}
	day.Transitions, day.Gaps = all.Transitions, all.Gaps
	return day, nil
}
