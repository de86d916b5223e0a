package ctl

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) healthCommand() *command.Command {
	cmd := &command.Command{
		Use:   "health",
		Short: "Show whether the daemon itself is healthy; exit 1 if not",
		Example: `  providerctl health
  providerctl health -q || systemctl restart providerd`,
		Args: args(0, 0),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Run = func(cmd *command.Command, _ []string) error { return a.health(cmd.Context(), out) }
	return a.answersYesOrNo(cmd)
}

func (a *app) health(ctx context.Context, out *format) error {
	body, err := a.client.Do(ctx, client.Request{Path: client.HealthPath})
	var h provider.Health
	if json.Unmarshal(body, &h) != nil || h.Status == "" {
		return err
	}
	answer := error(nil)
	if h.Status != "ok" {
		answer = errNo // an unhealthy daemon is an answer, though it comes as an error
	}
	if out.json() {
		return errors.Join(a.writeJSON(body), answer)
	}
	pairs := [][2]string{{"daemon", provider.Printable(h.Status)}}
	for _, name := range slices.Sorted(maps.Keys(h.Checks)) {
		pairs = append(pairs, [2]string{provider.Printable(name), provider.Printable(h.Checks[name])})
	}
	switch h.Fleet {
	case "", provider.FleetOff:
	case provider.FleetOK:
		pairs = append(pairs, [2]string{"fleet", string(h.Fleet)})
	default:
		pairs = append(pairs, [2]string{"fleet", provider.Printable(string(h.Fleet)) + ", which is not unhealthy; see: providerctl fleet"})
	}
	return errors.Join(writePairs(a.Stdout, a.term.width(), pairs), answer)
}
