package ctl

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) maintenanceCommand() *command.Command {
	var length, until string
	cmd := &command.Command{
		Use:        "maintenance ID…",
		Short:      "Announce maintenance: nobody is told of trouble of these providers",
		SuggestFor: []string{"silence", "mute", "snooze", "downtime"},
		Long: `Announce maintenance of providers, which begins now. Nobody is told of their trouble
meanwhile. What is left of it at the end is told then. Probing goes on, and status shows
their state as always.

--for takes a length: 30m, 2h, 1d.
` + untilHelp + `
It replaces what was announced for the same provider. Times that come back every week
belong into the configuration, as [[maintenance]].
` + globHelp,
		Example: `  providerctl maintenance gpu1 --for 2h
  providerctl maintenance 'gpu*' --until 18:00`,
		Args:     args(1, -1),
		Complete: a.completeIDs(-1),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Flags().StringVar(&length, "for", "", "how long: `LENGTH`, such as 2h")
	cmd.Flags().StringVar(&until, "until", "", "until `WHEN`")
	cmd.Run = func(cmd *command.Command, words []string) error {
		end, err := maintenanceEnd(length, until, typed(words), a.now().Local())
		if err != nil {
			return err
		}
		ids, err := a.expand(cmd.Context(), words)
		if err != nil {
			return err
		}
		if out.json() {
			return a.passThrough(cmd.Context(), client.MaintainRequest(ids, end))
		}
		if _, err := a.client.Maintain(cmd.Context(), ids, end); err != nil {
			return err
		}
		for _, id := range ids {
			if err := a.print(id + " is in maintenance until " + clock(provider.Time{Time: end}, a.now().Local()) + "; end it: providerctl maintenance end " + id); err != nil {
				return err
			}
		}
		return nil
	}
	cmd.AddCommand(a.maintenanceListCommand(), a.maintenanceEndCommand())
	return cmd
}

// maintenanceEnd is when maintenance ends, according to one of two flags.
func maintenanceEnd(length, until, words string, now time.Time) (time.Time, error) {
	const year = 366 * 24 * time.Hour
	end := parseUntil(until, now)
	switch d, ok := parseSpan(strings.TrimSpace(length)); {
	case (length == "") == (until == ""):
		return end, usage("for example: providerctl maintenance "+words+" --for 2h", "maintenance: give --for or --until")
	case length != "" && (!ok || d <= 0):
		return end, usage("for example: --for 30m, --for 2h, --for 1d", "maintenance: --for cannot be %q", length)
	case length != "":
		end = now.Add(min(d, year+time.Hour))
	case end.IsZero():
		return end, usage(`for example: --until 18:00, --until tomorrow, --until "2026-11-27 08:43"`, "maintenance: --until cannot be %q", until)
	case !end.After(now):
		return end, usage("give a time that is still to come", "maintenance: --until %s is over already", until)
	}
	if end.Sub(now) > year {
		return end, usage("announce at most a year; to be told nothing of a provider, exclude it in providers of [[notify]]", "maintenance: it can last a year at most")
	}
	return end, nil
}

func (a *app) maintenanceListCommand() *command.Command {
	cmd := &command.Command{
		Use:   "list",
		Short: "Show which providers are in maintenance",
		Args:  args(0, 0),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Run = func(cmd *command.Command, _ []string) error {
		if out.json() {
			return a.passThrough(cmd.Context(), client.Request{Path: client.MaintenancePath})
		}
		reply, err := a.client.Maintenance(cmd.Context())
		if err != nil {
			return err
		}
		if len(reply.Maintenance) == 0 {
			a.say("no provider is in maintenance")
			return nil
		}
		g := &grid{titles: []string{"ID", "UNTIL", "SINCE", "BY"}, right: make([]bool, 4)}
		now := a.now().Local()
		for _, m := range reply.Maintenance {
			by, since := m.By, ago(m.Since, now)
			if by == "" {
				by = "configuration"
			}
			g.rows = append(g.rows, []string{provider.Printable(m.ID), clock(m.Until, now), since, provider.Printable(by)})
		}
		widths := g.widths()
		squeeze(widths, a.term.width(), func(int) int { return 5 })
		return g.write(a.Stdout, widths)
	}
	return cmd
}

func (a *app) maintenanceEndCommand() *command.Command {
	all := false
	cmd := &command.Command{
		Use:   "end ID…",
		Short: "End maintenance that was announced",
		Long: `End maintenance that was announced. Trouble that lasts is told now. Maintenance of the
configuration ends at its time.
` + globHelp,
		Example:  "  providerctl maintenance end gpu1\n  providerctl maintenance end --all",
		Args:     args(0, -1),
		Complete: a.completeMaintained,
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Flags().BoolVar(&all, "all", false, "all that was announced")
	cmd.Run = func(cmd *command.Command, words []string) error {
		switch {
		case len(words) == 0 && !all:
			return usage("usage: "+cmd.UseLine()+"; or for all: "+cmd.CommandPath()+" --all", "end: an argument is missing")
		case len(words) > 0 && all:
			return usage("use one or the other", "end: --all and the ID %q", words[0])
		}
		return a.endMaintenance(cmd.Context(), words, out)
	}
	return cmd
}

func (a *app) endMaintenance(ctx context.Context, words []string, out *format) error {
	ids, err := a.expand(ctx, words)
	if err != nil {
		return err
	}
	body, err := a.client.Do(ctx, client.EndMaintenanceRequest(ids))
	if err != nil {
		return err
	}
	if out.json() {
		return a.writeJSON(body)
	}
	var reply provider.MaintenanceReply
	if err := json.Unmarshal(bytes.TrimSpace(body), &reply); err != nil {
		return provider.Errorf(provider.Internal, "compare providerctl version with providerctl info", "reading the maintenance: %v", err)
	}
	for _, id := range reply.Ended {
		if err := a.print("maintenance of " + id + " has ended"); err != nil {
			return err
		}
	}
	for _, m := range reply.Maintenance {
		if m.By == "" && (len(words) == 0 || slices.Contains(ids, m.ID)) {
			a.say("%s is still in maintenance until %s, by the configuration", m.ID, clock(m.Until, a.now().Local()))
			reply.Ended = append(reply.Ended, m.ID)
		}
	}
	if len(reply.Ended) == 0 {
		a.say("no maintenance was announced")
	}
	return nil
}

// completeMaintained offers the providers that are in maintenance.
func (a *app) completeMaintained(cmd *command.Command, words []string, _ string) ([]string, command.Directive) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
	defer cancel()
	c := *a.client
	c.DialPatience, c.Passed = -1, nil
	reply, err := c.Maintenance(ctx)
	if err != nil {
		return nil, command.NoFiles
	}
	var ids []string
	for _, m := range reply.Maintenance {
		if m.By != "" && !slices.Contains(words, m.ID) {
			ids = append(ids, command.Described(m.ID, "until "+clock(m.Until, a.now().Local())))
		}
	}
	return ids, command.NoFiles
}
