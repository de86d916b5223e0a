package ctl

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) discoverCommand() *command.Command {
	cmd := &command.Command{
		Use:        "discover",
		Short:      "Find model servers on this machine, and print the configuration for them",
		SuggestFor: []string{"find", "scan", "detect"},
		Long: `Look for model servers at the default addresses of all local kinds, and print the
configuration for those that have none yet.

The daemon connects to each address once, and sends at most one request for each kind
that could listen there; none loads a model or runs a prompt. Kinds that share a port
are told apart by their answers.

It exits 1 if nothing answers.`,
		Example: `  providerctl discover
  providerctl discover -o toml >> ~/.config/providerd/providerd.toml`,
		Args: args(0, 0),
	}
	out := outputFlag(cmd, formatTable, formatTOML, formatJSON)
	cmd.Run = func(_ *command.Command, _ []string) error {
		if out.json() {
			return a.passThrough(a.interruptible(true), client.DiscoverRequest())
		}
		return a.discover(a.interruptible(true), out)
	}
	return a.answersYesOrNo(cmd)
}

func (a *app) discover(ctx context.Context, out *format) error {
	reply, err := a.client.Discover(ctx)
	if err != nil {
		return err
	}
	if len(reply.Found) == 0 {
		a.say("nothing answers at the default address of any local kind")
		return errNo
	}
	status, err := a.client.Status(ctx, client.StatusQuery{})
	if err != nil {
		return err
	}
	toml := pasteable(reply.Found, status.Providers)
	if toml != "" && !reply.ConfigExists {
		// Once there is a file, only what it names is watched.
		toml = "autodetect = true\n\n" + toml
	}
	if out.value != formatTOML {
		if err := a.writeDiscovered(reply.Found); err != nil {
			return err
		}
	}
	if toml == "" {
		a.say("nothing to add: %s", whyNothing(reply.Found))
		return nil
	}
	if out.value == formatTOML {
		_, err = io.WriteString(a.data, toml)
		return err
	}
	_, err = io.WriteString(a.Stdout, "\n"+toml)
	orBegin := ""
	if !reply.ConfigExists {
		orBegin = ", or create it with them: providerd config init --write;"
	}
	a.say("hint: add these lines to %s%s then: providerctl reload", reply.ConfigPath, cmp.Or(orBegin, ","))
	return err
}

// whyNothing is why none of those found belongs in the configuration.
func whyNothing(found []provider.Discovered) string {
	if slices.ContainsFunc(found, func(d provider.Discovered) bool { return d.Kind != "" }) {
		return "every server of a known kind is already configured"
	}
	return "what answers is of no known kind"
}

// writeDiscovered prints a row for each address where something answers.
func (a *app) writeDiscovered(found []provider.Discovered) error {
	g := &grid{titles: []string{"KIND", "ADDRESS", "VERSION", "CONFIGURED AS", "NOTE"}, right: make([]bool, 5)}
	for _, d := range found {
		g.rows = append(g.rows, []string{
			or(provider.Printable(d.Kind)), provider.Printable(d.BaseURL), or(provider.Printable(d.Version)), or(provider.Printable(d.ID)), or(provider.Printable(d.Note)),
		})
	}
	widths := g.widths()
	squeeze(widths, a.term.width(), func(i int) int { return []int{6, 14, 7, 6, 10}[i] })
	return g.write(a.Stdout, widths)
}

// pasteable is the configuration for those that have none. Their IDs are new.
func pasteable(found []provider.Discovered, configured []provider.Status) string {
	var b strings.Builder
	var taken []string
	for i := range configured {
		taken = append(taken, configured[i].ID)
	}
	for _, d := range found {
		if d.Kind == "" || d.ID != "" {
			continue
		}
		id := d.Kind
		for n := 2; slices.Contains(taken, id); n++ {
			id = fmt.Sprintf("%s:%d", d.Kind, n)
		}
		taken = append(taken, id)
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "[[provider]]\nid = %q\nkind = %q\nbase_url = %q\n", id, d.Kind, d.BaseURL)
		if strings.Contains(d.Note, "key") {
			fmt.Fprintf(&b, "# %s: api_key_file = \"…\" or api_key_env = \"…\"\n", provider.Printable(d.Note))
		}
	}
	return b.String()
}
