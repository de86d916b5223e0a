package ctl

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) isRunningCommand() *command.Command {
	cmd := &command.Command{
		Use:   "is-running ID…",
		Short: "Exit 0 if a provider is RUNNING, 1 if not",
		Long: `Exit 0 if the provider is RUNNING, and 1 in any other state: DEGRADED means of limited
use, and is not RUNNING. With several IDs, all of them have to be RUNNING. What the
daemon knows is enough, unless it is stale: then the provider is probed first.
` + globHelp,
		Example: `  providerctl is-running ollama -q && ./agent
  providerctl is-running openai 'gpu*'`,
		Args:     args(1, -1),
		Complete: a.completeIDs(-1),
	}
	cmd.Run = func(cmd *command.Command, words []string) error {
		rows, err := a.reliable(cmd.Context(), words)
		if err != nil {
			return err
		}
		var answer error
		var lines []string
		for _, s := range rows {
			if s.State != provider.StateRunning || s.Stale {
				answer = errNo
			}
			lines = append(lines, provider.Printable(s.ID+" is "+describe(s))+"\n")
		}
		_, err = io.WriteString(a.Stdout, strings.Join(lines, ""))
		return errors.Join(err, answer)
	}
	return a.answersYesOrNo(cmd)
}

// reliable returns the rows that words mean, and probes those that are stale. A row that
// does not come in time stays stale.
func (a *app) reliable(ctx context.Context, words []string) (rows []provider.Status, err error) {
	if single(words) {
		var s *provider.Status
		if s, err = a.client.Provider(ctx, words[0]); err == nil {
			rows = []provider.Status{*s}
		}
	} else {
		rows, err = a.rowsOf(ctx, words)
	}
	if err != nil {
		return nil, err
	}
	var old []string
	maxAge, wait := time.Duration(math.MaxInt64), probeWait
	for _, s := range rows {
		if s.Stale || s.Reason == provider.NotChecked {
			old = append(old, s.ID)
			maxAge = min(maxAge, time.Duration(s.TTLMS)*time.Millisecond)
		}
	}
	if len(old) == 0 {
		return rows, nil
	}
	reply, err := a.client.Status(a.interruptible(true), client.StatusQuery{IDs: fewOrAll(old), MaxAge: &maxAge, Wait: &wait})
	if err != nil {
		return nil, err
	}
	for _, s := range reply.Providers {
		if i := slices.IndexFunc(rows, func(row provider.Status) bool { return row.ID == s.ID }); i >= 0 {
			rows[i] = s
		}
	}
	return rows, nil
}

// row returns the row of the one provider that the query names.
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

// describe is a provider's state in a few words: "STOPPED (connection_refused)".
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
