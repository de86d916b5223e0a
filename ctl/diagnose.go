package ctl

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) diagnoseCommand() *command.Command {
	var q client.DiagnoseQuery
	cmd := &command.Command{
		Use:        "diagnose ID",
		Short:      "Probe a provider now and show the evidence, layer by layer",
		SuggestFor: []string{"explain", "why"},
		Long: `Probe a provider now, on a new connection, and show what the probe saw, layer by
layer: name resolution, connection, TLS, each request with its answer, and the
rule that decided; and the latest from the vendor's own status feed, if one is
followed. It shows no secrets. If there is no fresh probe, it says why and shows the
last one: a paused provider is not probed, and a rate-limited one only with --force.

-o markdown writes a report to paste into an issue.`,
		Example: `  providerctl diagnose openai
  providerctl diagnose openai -o markdown`,
		Args:     args(1, 1),
		Complete: a.completeIDs(1),
	}
	out := outputFlag(cmd, formatTable, formatJSON, formatMarkdown)
	cmd.Flags().DurationVar(&q.Wait, "timeout", probeWait, "how long to wait for the probe")
	cmd.Flags().BoolVar(&q.Force, "force", false, "probe even a rate-limited provider")
	cmd.Run = func(_ *command.Command, ids []string) error {
		if q.Wait <= 0 {
			return usage("give a duration such as 15s", "diagnose: --timeout must be positive")
		}
		q.ID, a.client.Timeout = ids[0], lateReply
		if out.json() {
			return a.passThrough(a.interruptible(true), q.Request())
		}
		return a.diagnose(a.interruptible(true), q, out)
	}
	return cmd
}

func (a *app) diagnose(ctx context.Context, q client.DiagnoseQuery, out *format) error {
	reply, err := a.client.Diagnose(ctx, q)
	if reply == nil {
		return err
	}
	if reply.Skipped != nil {
		a.saySkipped([]provider.Skipped{*reply.Skipped})
	}
	if err != nil || reply.Skipped != nil {
		a.say("this is the last probe:")
	}
	if out.value == formatMarkdown {
		return errors.Join(a.writeMarkdown(ctx, &reply.Diagnostics), err)
	}
	return errors.Join(a.writeDiagnostics(&reply.Diagnostics), err)
}

func (a *app) writeDiagnostics(d *provider.Diagnostics) error {
	opts := TableOptions{Width: a.term.width(), ASCII: a.term.ascii, Now: a.now(), Spell: a.here}
	_, err := io.WriteString(a.Stdout, evidence(d, opts))
	return err
}

// evidence shows a probe: of which provider, each layer, and the verdict.
func evidence(d *provider.Diagnostics, opts TableOptions) string {
	title := provider.Printable(d.ID) + " (" + provider.Printable(d.Kind) + "), not probed since the daemon started"
	if !d.BeganAt.IsZero() {
		title = provider.Printable(d.ID) + " (" + provider.Printable(d.Kind) + "), probed " + ago(d.BeganAt, opts.Now) + " in " + latency(d.TookMS)
	}
	_, text := hanging("", title, opts.Width)
	pairs := [][2]string{{"endpoint", provider.Printable(d.Endpoint)}}
	for _, l := range layers(d) {
		pairs = append(pairs, l.lines()...)
	}
	pairs = slices.Concat(pairs, feedLines(d.Feed, opts.Now), verdictLines(&d.Verdict, opts.Now))
	for i := range pairs {
		if strings.TrimSpace(pairs[i][0]) == "hint" {
			pairs[i][1] = opts.spell(pairs[i][1])
		}
	}
	if opts.ASCII { // before lines are wrapped, because an arrow takes two columns then
		for i := range pairs {
			pairs[i][1] = strings.ReplaceAll(pairs[i][1], "→", "->")
		}
	}
	return text + pairsText(opts.Width, pairs)
}
