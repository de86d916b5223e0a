package ctl

import (
	"context"
	"errors"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) isRunningCommand() *command.Command {
	var quiet bool
	cmd := &command.Command{
		Use:   "is-running ID",
		Short: "Tell by the exit code whether a provider can be used now",
		Long: `Exit 0 when the provider is RUNNING, and 1 in any other state: DEGRADED, being
of limited use, is not RUNNING. What is known is enough, unless it is stale:
then the provider is probed first.`,
		Example:  `  providerctl is-running ollama -q && ./agent`,
		Args:     args(1, 1),
		Complete: a.completeIDs(1),
	}
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print nothing")
	cmd.Run = func(cmd *command.Command, ids []string) error {
		s, err := a.reliable(cmd.Context(), ids[0])
		if err != nil {
			return err
		}
		var answer error
		if s.State != provider.StateRunning || s.Stale {
			answer = errNo
		}
		if quiet {
			return answer
		}
		return errors.Join(a.print(s.ID+" is "+describe(*s)), answer)
	}
	return cmd
}

// reliable returns a row that is not stale, if need be from a probe; where that
// does not come in time, the stale one.
func (a *app) reliable(ctx context.Context, id string) (*provider.Status, error) {
	s, err := a.client.Provider(ctx, id)
	if err != nil || !s.Stale && s.Reason != provider.NotChecked {
		return s, err
	}
	maxAge, wait := time.Duration(s.TTLMS)*time.Millisecond, probeWait
	return a.row(a.interruptible(true), client.StatusQuery{IDs: []string{id}, MaxAge: &maxAge, Wait: &wait})
}

// row asks for the row of the one provider that the query names.
func (a *app) row(ctx context.Context, q client.StatusQuery) (*provider.Status, error) {
	reply, err := a.client.Status(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(reply.Providers) != 1 {
		return nil, provider.Errorf(provider.Internal, "see: providerctl logs",
			"the daemon answered with %d rows for %s", len(reply.Providers), q.IDs[0])
	}
	return &reply.Providers[0], nil
}

// describe says a provider's state in a few words: "STOPPED (connection_refused)".
func describe(s provider.Status) string {
	text := string(s.State)
	switch {
	case s.Reason != "" && s.Reason != provider.OK:
		text += " (" + string(s.Reason) + ")"
	case s.LatencyMS > 0:
		text += " (" + latency(s.LatencyMS) + ")"
	}
	if s.Stale {
		text += ", last known"
	}
	return text
}
