package ctl

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) diagnoseCommand() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "diagnose ID",
		Short: "Probe a provider now and show the evidence, layer by layer",
		Long: `Probe a provider now and show what the probe saw, layer by layer: name
resolution, connection, TLS, each request with its answer, and the rule that
decided. It shows no secret. When no fresh probe can be had, it says why and
shows the last one.`,
		Args:              args(1, 1),
		ValidArgsFunction: a.completeIDs(1),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Second, "how long to wait for the probe")
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		if timeout <= 0 {
			return usage("give a duration such as 10s", "diagnose: --timeout must be positive")
		}
		return a.diagnose(cmd.Context(), ids[0], timeout, out)
	}
	return cmd
}

func (a *app) diagnose(ctx context.Context, id string, timeout time.Duration, out *format) error {
	reply, err := a.client.Refresh(ctx, client.RefreshQuery{IDs: []string{id}, Wait: timeout})
	switch {
	case err != nil && reply == nil:
		return err
	case err != nil:
		a.say("%v; this is the last probe:", err)
	default:
		a.saySkipped(reply)
	}
	if out.json() {
		return errors.Join(a.passThrough(ctx, client.Request{Path: client.ProviderPath(id, "diagnostics")}), err)
	}
	d, diagErr := a.client.Diagnostics(ctx, id)
	if diagErr != nil {
		return diagErr
	}
	return errors.Join(a.writeDiagnostics(d), err)
}

func (a *app) writeDiagnostics(d *provider.Diagnostics) error {
	title := printable(d.ID) + " (" + printable(d.Kind) + ")"
	if !d.BeganAt.IsZero() {
		title += ", probed " + ago(d.BeganAt, a.now()) + " in " + latency(d.TookMS)
	}
	if _, err := io.WriteString(a.Stdout, title+"\n"); err != nil {
		return err
	}
	return writePairs(a.Stdout, a.term.width(), layers(d))
}
