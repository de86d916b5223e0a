package ctl

import (
	"context"
	"errors"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// probeWait is how long a command waits for a probe by default: longer than a probe of a
// server that hangs takes, 5 s in the cloud, after one that was already in progress.
const probeWait = 15 * time.Second

// lateReply is how much longer than the requested wait a command waits for the daemon,
// which may be stopped.
const lateReply = 2 * time.Second

func (a *app) refreshCommand() *command.Command {
	var (
		wait    bool
		fleet   bool
		q       client.RefreshQuery
		timeout time.Duration
	)
	cmd := &command.Command{
		Use:        "refresh [ID…]",
		Short:      "Probe providers now",
		SuggestFor: []string{"probe", "check", "ping", "update"},
		Long: `Probe all providers, or those named, now.

It returns at once. With --wait it waits for the results of probes that began after
the request, and shows them. A rate-limited provider is probed only with --force.

In a fleet, a provider that another machine probes is probed there, and all machines see
the result. --fleet leaves out what this machine does not share with the others.
` + globHelp,
		Example: `  providerctl refresh
  providerctl refresh ollama --wait
  providerctl refresh 'gpu*'`,
		Args:     args(0, -1),
		Complete: a.completeIDs(-1),
	}
	out := outputFlag(cmd, formatTable, formatWide, formatJSON)
	flags := cmd.Flags()
	flags.BoolVar(&wait, "wait", false, "wait for the results and show them")
	flags.DurationVar(&timeout, "timeout", probeWait, "how long to wait; implies --wait")
	flags.BoolVar(&fleet, "fleet", false, "only providers that are shared with the fleet")
	flags.BoolVar(&q.Force, "force", false, "probe even rate-limited providers")
	cmd.Run = func(_ *command.Command, words []string) error {
		if timeout <= 0 {
			return usage("give a duration such as 15s", "refresh: --timeout must be positive")
		}
		if wait || flags.Changed("timeout") {
			q.Wait = timeout
			a.client.Timeout = lateReply
		}
		ctx := a.interruptible(q.Wait > 0)
		ids, err := a.expand(ctx, words)
		if err != nil {
			return err
		}
		if fleet {
			if ids, err = a.sharedOf(ctx, ids); err != nil {
				return err
			}
		}
		q.IDs = ids
		if out.json() {
			return waitNamed(a.passThrough(ctx, q.Request()), wait, words)
		}
		return waitNamed(a.refresh(ctx, q, out), wait, words)
	}
	return cmd
}

// waitNamed corrects the hint if the time to wait was given as an ID.
func waitNamed(err error, wait bool, ids []string) error {
	var e *provider.Error
	if !wait || !errors.As(err, &e) || e.Code != provider.UnknownProvider {
		return err
	}
	for _, id := range ids {
		if _, bad := time.ParseDuration(id); bad == nil {
			return provider.Errorf(e.Code, "did you mean: --wait --timeout "+id, "%s", e.Message)
		}
	}
	return err
}

func (a *app) refresh(ctx context.Context, q client.RefreshQuery, out *format) error {
	reply, err := a.client.Refresh(ctx, q)
	if reply == nil {
		return err
	}
	a.saySkipped(reply.Skipped)
	if q.Wait == 0 {
		if len(q.IDs) > 0 && len(reply.Skipped) == len(q.IDs) {
			return nil // no provider is probed, which has been reported
		}
		return a.print(reply.Message)
	}
	// No ts comes with it, and every row has its age.
	table := &provider.StatusReply{TS: provider.Time{Time: a.now()}, Providers: reply.Providers}
	if len(table.Providers) > 0 {
		err = errors.Join(a.writeStatus(table, out), err)
	}
	return err
}

// saySkipped prints which providers were not probed and why.
func (a *app) saySkipped(skipped []provider.Skipped) {
	for _, s := range skipped {
		text := s.ID + " was not probed: " + s.Message
		switch {
		case s.Message == "":
			text = s.ID + " was not probed: " + string(s.Reason)
		case !s.RetryAt.IsZero():
			text = s.Message // which says for how long, and what to type
		}
		a.say("%s", text)
	}
}
