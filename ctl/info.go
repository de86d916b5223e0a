package ctl

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) infoCommand() *command.Command {
	cmd := &command.Command{
		Use:   "info",
		Short: "Show the daemon's version, paths and counters",
		Args:  args(0, 0),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Run = func(cmd *command.Command, _ []string) error {
		if out.json() {
			return a.passThrough(cmd.Context(), client.Request{Path: client.DaemonPath})
		}
		return a.info(cmd.Context())
	}
	return cmd
}

func (a *app) info(ctx context.Context) error {
	d, err := a.client.Daemon(ctx)
	if err != nil {
		return err
	}
	config := d.ConfigPath
	if config == "" {
		config = "none: built-in defaults"
		if d.ConfigDefault != "" {
			config += "; a file would be " + d.ConfigDefault
		}
	}
	c := d.Counters
	pairs := [][2]string{
		{"version", provider.Printable(d.Version)},
		{"pid", strconv.Itoa(d.PID)},
		{"up", span(time.Duration(d.UptimeSeconds)*time.Second) + ", since " + stamp(d.StartedAt)},
		{"socket", provider.Printable(d.Socket)},
		{"configuration", provider.Printable(config)},
		{"database", provider.Printable(d.StatePath) + ", " + size(d.DatabaseBytes)},
		{"log level", provider.Printable(d.LogLevel)},
		{"providers", strconv.Itoa(d.Providers)},
		{"probes", fmt.Sprintf("%d, %d broken, %d in progress", c.Probes, c.ProbesFailed, c.InFlight)},
		{"refreshes", fmt.Sprintf("%d, %d shared another's probe; generation %d", c.Refreshes, c.Coalesced, d.Generation)},
		{"newest event", strconv.FormatUint(d.Seq, 10)},
		{"commits", fmt.Sprintf("%d, %d failed", c.Commits, c.CommitsFailed)},
		{"requests", fmt.Sprintf("%d, %d denied; %d streams open", c.Requests, c.Denied, c.Streams)},
	}
	if d.StoreError != "" {
		pairs = append(pairs, [2]string{"store error", provider.Printable(d.StoreError)})
	}
	return writePairs(a.Stdout, a.term.width(), pairs)
}
