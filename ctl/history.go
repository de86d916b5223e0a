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

func (a *app) historyCommand() *command.Command {
	cmd := &command.Command{
		Use:   "history ID…",
		Short: "Show a provider's changes and how much of the time it was up",
		Long: `Show a provider's past changes, and how much of the time it was RUNNING. The time
begins with the oldest of the changes or at --since or, if that is later, when the
daemon started. Time does not count while probing was paused, the state was UNKNOWN,
the machine was asleep, or the daemon was held up.

` + sinceHelp + `

Several providers are shown one after the other.
` + globHelp + `
-o json prints one object for one ID, and {"providers": […]} for several or a pattern.`,
		Example: `  providerctl history ollama --since 1d
  providerctl history 'gpu*' -o json`,
		Args:     args(1, -1),
		Complete: a.completeIDs(-1),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	from := a.sinceFlag(cmd, "only changes since `WHEN`")
	cmd.Run = func(cmd *command.Command, words []string) error {
		if err := from.check(cmd); err != nil {
			return err
		}
		query := client.HistoryQuery{Since: from.seq, From: from.at}
		if single(words) && out.json() {
			query.ID = words[0]
			return a.passThrough(cmd.Context(), client.Request{Path: query.Path()})
		}
		return a.histories(cmd.Context(), words, query, out)
	}
	return cmd
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
		return err
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
	_, text := hanging("", provider.Printable(reply.ID)+": "+uptime(reply), a.term.width())
	b.WriteString(text)
}

// uptime sums a history up: "up 98.2% since …: RUNNING 3h, STOPPED 2m".
func uptime(h *provider.HistoryReply) string {
	var parts []string
	for _, state := range provider.States {
		if seconds := h.StateSeconds[state]; seconds > 0 {
			parts = append(parts, string(state)+" "+span(time.Duration(seconds*float64(time.Second))))
		}
	}
	text := "nothing is known yet"
	if h.UptimeRatio != nil {
		text = fmt.Sprintf("up %.1f%%", *h.UptimeRatio*100)
	}
	if !h.Since.IsZero() {
		text += " since " + stamp(h.Since)
	}
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	return text
}
