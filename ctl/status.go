package ctl

import (
	"bufio"
	"context"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) statusCommand() *command.Command {
	var (
		maxAge, wait time.Duration
		watch        bool
	)
	cmd := &command.Command{
		Use:        "status [ID…]",
		Short:      "Show what is known of each provider",
		Aliases:    []string{"ls", "st"},
		SuggestFor: []string{"list", "ps", "get", "show", "watch"},
		Long: `Show what is known of each provider, or of those named.

It shows what the daemon knows already and waits for nothing. With --max-age,
rows older than that are probed first, for at most --wait; what is still older
then is shown as stale. With --watch it shows every change until ctrl-C, and
then exits 0.`,
		Example: `  providerctl status
  providerctl status ollama -o json
  providerctl status --max-age 0s`,
		Args:     args(0, -1),
		Complete: a.completeIDs(-1),
	}
	out := outputFlag(cmd, formatTable, formatWide, formatJSON)
	flags := cmd.Flags()
	flags.DurationVar(&maxAge, "max-age", 0, "probe rows older than this first, e.g. 0s or 10s")
	flags.DurationVar(&wait, "wait", probeWait, "how long to wait for those probes")
	flags.BoolVarP(&watch, "watch", "w", false, "go on, and show every change")
	cmd.Run = func(_ *command.Command, ids []string) error {
		q := client.StatusQuery{IDs: ids, Wait: &wait}
		if flags.Changed("max-age") {
			q.MaxAge = &maxAge
		}
		switch {
		case maxAge < 0 || wait < 0:
			return usage("give a duration such as 10s", "status: a duration is negative")
		case flags.Changed("wait") && q.MaxAge == nil:
			return usage("say how old a row may be: --max-age 0s", "status: --wait needs --max-age")
		case watch:
			ctx, stop := a.following()
			defer stop()
			return a.watch(ctx, q, out)
		}
		return a.showStatus(a.interruptible(q.MaxAge != nil), q, out)
	}
	return cmd
}

func (a *app) showStatus(ctx context.Context, q client.StatusQuery, out *format) error {
	if out.json() {
		return a.passThrough(ctx, q.Request())
	}
	reply, err := a.client.Status(ctx, q)
	if err != nil {
		return err
	}
	if len(reply.Providers) == 0 {
		a.say("no provider is configured")
		a.say("hint: name one in the configuration; see: providerctl info")
		return nil
	}
	return a.writeStatus(reply, out)
}

// writeStatus writes the table as the screen wants it.
func (a *app) writeStatus(reply *provider.StatusReply, out *format) error {
	w := bufio.NewWriter(a.Stdout)
	opts := TableOptions{
		Width: a.term.width(),
		Color: a.term.color,
		Wide:  out.value == formatWide,
		Now:   reply.TS.Time,
	}
	if err := WriteTable(w, *reply, opts); err != nil {
		return err
	}
	return w.Flush()
}
