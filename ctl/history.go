package ctl

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) historyCommand() *command.Command {
	cmd := &command.Command{
		Use:   "history ID",
		Short: "Show a provider's changes and how much of the time it was up",
		Long: `Show a provider's changes that are kept, and how much of the time it was up,
which is RUNNING. The time begins with the oldest of the changes or, if that is
later, with the daemon's start. It does not count when probing was paused, the
state UNKNOWN, the machine asleep, or the daemon held up.`,
		Args:     args(1, 1),
		Complete: a.completeIDs(1),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Run = func(cmd *command.Command, ids []string) error {
		if out.json() {
			return a.passThrough(cmd.Context(), client.Request{Path: client.ProviderPath(ids[0], "history")})
		}
		return a.history(cmd.Context(), ids[0])
	}
	return cmd
}

func (a *app) history(ctx context.Context, id string) error {
	reply, err := a.client.History(ctx, id)
	if err != nil {
		return err
	}
	var b strings.Builder
	layout := eventLayout{width: a.term.width(), color: a.term.color, now: a.now()}
	layout.alignTo(reply.Transitions)
	for _, e := range reply.Transitions {
		b.WriteString(layout.line(&e) + "\n")
	}
	if len(reply.Transitions) > 0 {
		b.WriteByte('\n')
	}
	for _, gap := range reply.Gaps {
		fmt.Fprintf(&b, "%s: gone, because the daemon's database was damaged; that time does not count\n", gap)
	}
	b.WriteString(provider.Printable(id) + ": " + uptime(reply) + "\n")
	_, err = io.WriteString(a.Stdout, b.String())
	return err
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
