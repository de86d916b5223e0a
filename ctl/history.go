package ctl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// historyWindow is how far back a history goes by default.
const historyWindow = 30 * provider.Daily

func (a *app) historyCommand() *command.Command {
	cmd := &command.Command{
		Use:   "history [ID…]",
		Short: "Show how much of the time providers could be used, their outages and changes",
		Long: `Show how much of the last 30 days, or of the time since --since, providers could be
used: a line for each provider or, for each ID, its changes, a bar for each day or hour,
latencies, and outages.

A provider is up while it is RUNNING, and usable also while it is degraded but still
answers. Time is not known, and does not count, while the daemon did not run, probing was
paused, the state was UNKNOWN, or the machine was asleep. The daemon keeps days for 400
days and hours for 14, across restarts. Days are in UTC.

A full bar is time in which the provider was usable without a break. The bars are hours
if --since is at most 2 days ago, and days otherwise; --step chooses. An outage is time
in which the provider was not usable.

` + sinceHelp + `
The first bar is the whole hour or day that this time is in. After an event, only the
changes are shown, and how long each state lasted.

` + globHelp + `
-o json prints the daemon's reply without an ID, one object for one ID, and
{"providers": […]} for several or a pattern.`,
		Example: `  providerctl history
  providerctl history ollama --since 1d
  providerctl history 'gpu*' --since 90d -o json`,
		Args:     args(0, -1),
		Complete: a.completeIDs(-1),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	from := a.sinceFlag(cmd, "only since `WHEN` (default 30d)")
	step := &format{allowed: []string{"1h", "1d"}}
	cmd.Flags().Var(step, "step", "length of a bar").Complete = command.Offer(step.allowed, command.NoFiles)
	cmd.Run = func(cmd *command.Command, words []string) error {
		if err := from.check(cmd); err != nil {
			return err
		}
		if len(words) == 0 && from.seq > 0 {
			return usage("give a time, or an ID: providerctl history ID --since "+from.typed, "%s: the number of an event needs an ID", cmd.Name())
		}
		query := historyQuery(from.since, step.value, a.now())
		switch {
		case len(words) == 0:
			return a.allHistories(cmd.Context(), query, out)
		case single(words) && out.json():
			query.ID = words[0]
			return ofHistory(words[0], a.passThrough(cmd.Context(), client.Request{Path: query.Path()}))
		}
		return a.histories(cmd.Context(), words, query, out)
	}
	return cmd
}

// historyQuery is the query for what was typed. With the number of an event and no step, it
// asks only for changes.
func historyQuery(from since, step string, now time.Time) client.HistoryQuery {
	query := client.HistoryQuery{Since: from.seq, From: from.at, Step: step}
	switch {
	case from.seq > 0 || step != "" && from.given():
	case from.given():
		query.Step = provider.StepName(provider.StepFor(now.Sub(from.at)))
	default:
		query.Window = historyWindow
	}
	return query
}

// allHistories shows one line for each provider.
func (a *app) allHistories(ctx context.Context, query client.HistoryQuery, out *format) error {
	if out.json() {
		return tooOld(a.passThrough(ctx, client.Request{Path: query.Path()}))
	}
	all, err := a.client.Histories(ctx, query)
	switch {
	case err != nil:
		return tooOld(err)
	case len(all.Providers) == 0:
		a.sayNothing(&statusView{}, nil)
		return nil
	}
	var b strings.Builder
	a.historyLayout().writeAll(&b, all)
	_, err = io.WriteString(a.Stdout, b.String())
	return err
}

// histories shows the histories of the named providers, one after the other.
func (a *app) histories(ctx context.Context, words []string, query client.HistoryQuery, out *format) error {
	ids, err := a.named(ctx, words)
	if err != nil {
		return err
	}
	replies := make([]json.RawMessage, len(ids))
	errs, tried := each(ids, func(id string) error {
		own := query
		own.ID = id
		body, err := a.client.Do(ctx, client.Request{Path: own.Path()})
		if err == nil {
			replies[slices.Index(ids, id)] = bytes.TrimSpace(body)
		}
		return ofHistory(id, err)
	})
	errs = errs[:tried] // the first one's error, if they share it, is enough
	replies = slices.DeleteFunc(replies, func(body json.RawMessage) bool { return body == nil })
	if len(replies) == 0 {
		return failed(errs...)
	}
	if out.json() {
		text, err := json.Marshal(map[string][]json.RawMessage{"providers": replies})
		if err == nil {
			err = a.writeJSON(text)
		}
		return errors.Join(err, failed(errs...))
	}
	var b strings.Builder
	for i, body := range replies {
		var reply provider.HistoryReply
		if err := json.Unmarshal(body, &reply); err != nil {
			return provider.Errorf(provider.Internal, "compare providerctl version with providerctl info", "reading a history: %v", err)
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		a.writeHistory(&b, &reply)
	}
	_, err = io.WriteString(a.Stdout, b.String())
	return errors.Join(err, failed(errs...))
}

// writeHistory shows the changes of one provider, and a summary of them.
func (a *app) writeHistory(b *strings.Builder, reply *provider.HistoryReply) {
	layout := eventLayout{width: a.term.width(), color: a.term.color, ascii: a.term.ascii, now: a.now()}
	layout.alignTo(reply.Transitions)
	for i := range reply.Transitions {
		b.WriteString(layout.line(&reply.Transitions[i]) + "\n")
	}
	if len(reply.Transitions) > 0 {
		b.WriteByte('\n')
	}
	for _, gap := range reply.Gaps {
		fmt.Fprintf(b, "%s: gone, because the daemon's database was damaged; that time does not count\n", gap)
	}
	a.historyLayout().write(b, reply)
}
