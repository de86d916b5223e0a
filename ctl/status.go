package ctl

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) statusCommand() *command.Command {
	var (
		maxAge, wait, timeout time.Duration
		watch, fleet          bool
	)
	v := &statusView{sel: newSelection()}
	cmd := &command.Command{
		Use:        "status [ID…]",
		Short:      "Show the status of each provider",
		Aliases:    []string{"ls", "st"},
		SuggestFor: []string{"list", "ps", "get", "show", "watch"},
		Long: `Show the status of each provider, or of those named.
` + globHelp + `
On a terminal, a single ID shows all that is known of the provider, and its last changes.

It shows what the daemon already knows, and does not wait. With --max-age, providers
whose rows are older than that are probed first, for at most --wait; a row that is
still older is shown as stale.

With --timeout, for the status lines of other programs, it fails at once, with 3, if the
daemon does not run, and does not wait 2s for a restart. It fails with 6 if the daemon does
not answer in that time.

With --watch it shows every change until ctrl-C, which exits 0. It uses the whole
screen, groups the providers by what they need, marks recent changes with a star, and
restores the screen at the end. "providerctl top" shows the same, and has keys.

With --fleet the rows of other machines' servers follow, by machine, with IDs such as
gpu2/vllm; 'gpu2/*' names all of that machine. Only this machine's are probed.

--state, --kind, --type and --problems select rows; a row has to match all of them. If
no row does, it says so and exits 0. They and --sort work with every format.

Below the rows it says what to do next and, on a terminal, sums up in one line. If the
screen is too short for all rows, those that need somebody come first.`,
		Example: `  providerctl status
  providerctl status ollama -o json
  providerctl status 'gpu*' --problems
  providerctl status --state RUNNING --sort latency -o name
  providerctl status --max-age 0s`,
		Args:     args(0, -1),
		Complete: a.completeIDs(-1),
	}
	v.out = outputFlag(cmd, formatTable, formatWide, formatName, formatJSON, formatYAML)
	flags := cmd.Flags()
	flags.DurationVar(&maxAge, "max-age", 0, "probe rows older than this first, e.g. 0s or 10s")
	flags.DurationVar(&wait, "wait", probeWait, "how long to wait for those probes")
	flags.DurationVar(&timeout, "timeout", 0, "fail if the daemon does not answer in time (default 10s)")
	flags.BoolVarP(&watch, "watch", "w", false, "keep running, and show every change")
	flags.BoolVar(&fleet, "fleet", false, "also the servers of the other machines of the fleet")
	flags.BoolVar(&v.noHeaders, "no-headers", false, "print only the rows of the table")
	a.selectionFlags(flags, v.sel)
	cmd.Run = func(_ *command.Command, ids []string) error {
		v.query = client.StatusQuery{Wait: &wait}
		if flags.Changed("max-age") {
			v.query.MaxAge = &maxAge
		}
		if v.named(ids); fleet {
			v.inFleet(ids)
		}
		switch {
		case maxAge < 0 || wait < 0 || timeout < 0:
			return usage("give a duration such as 10s", "status: a duration is negative")
		case watch && timeout > 0:
			return usage("leave one of them out", "status: --watch continues while the daemon is away")
		case flags.Changed("wait") && v.query.MaxAge == nil:
			return usage("say how old a row may be: --max-age 0s", "status: --wait needs --max-age")
		case watch && fleet:
			return usage("leave one of them out; to follow all machines: providerctl top, then f", "status: --watch shows this machine's providers only")
		case watch && v.out.value == formatName:
			return usage("leave one of them out, or use: -o json", "status: --watch shows more than names")
		}
		if timeout > 0 {
			a.client.Timeout, a.client.DialPatience = timeout, -1
		}
		v.card = a.term.shown && !flags.Changed("output") && !v.noHeaders && len(ids) == 1 && !v.sel.changes()
		ctx, stop := a.interruptible(v.query.MaxAge != nil), func() {}
		if watch {
			ctx, stop = a.following()
		}
		defer stop()
		if err := a.narrow(ctx, v); err != nil {
			return err
		}
		if watch {
			return a.watch(ctx, v)
		}
		return a.showStatus(ctx, v)
	}
	return cmd
}

// selectionFlags adds the flags that select and sort rows.
func (a *app) selectionFlags(flags *command.FlagSet, sel *selection) {
	flags.Var(sel.states, "state", "only providers in one of these `STATES`, separated by commas").Complete = sel.states.complete
	flags.Var(sel.kinds, "kind", "only providers of these `KINDS`").Complete = a.completeKinds
	flags.Var(sel.types, "type", "only providers of these `TYPES`: local, cloud, generic").Complete = sel.types.complete
	flags.BoolVar(&sel.problems, "problems", false, "only providers with a problem")
	flags.Var(sel.sort, "sort", "sort the rows").Complete = command.Offer(sel.sort.allowed, command.NoFiles)
}

// A statusView is what part of the status is wanted, and how it is shown.
type statusView struct {
	query     client.StatusQuery
	sel       *selection
	out       *format
	noHeaders bool
	card      bool // of the one provider that is named
	fleet     bool // other machines' servers follow
}

// named takes the words of the command line. If one is a pattern, the daemon is asked for
// all rows.
func (v *statusView) named(words []string) {
	if hasGlob(words) {
		v.sel.globs = words
		return
	}
	v.query.IDs = words
}

// narrow limits the probes to what is wanted, as far as the configuration decides that.
func (a *app) narrow(ctx context.Context, v *statusView) error {
	if v.query.MaxAge == nil || len(v.sel.globs)+len(v.sel.kinds.values)+len(v.sel.types.values) == 0 {
		return nil
	}
	reply, err := a.client.Status(ctx, client.StatusQuery{IDs: v.query.IDs})
	if err != nil {
		return err
	}
	globs := v.sel.globs
	if v.fleet {
		globs, _ = split(globs)
	}
	wanted := selection{globs: globs, kinds: v.sel.kinds, types: v.sel.types, states: &list{}, sort: &format{}}
	places, err := wanted.rows(reply.Providers, reply.TS.Time)
	if err != nil {
		return err
	}
	var ids []string
	for _, place := range places {
		ids = append(ids, reply.Providers[place].ID)
	}
	if v.query.IDs = fewOrAll(ids); len(ids) == 0 {
		v.query.MaxAge = nil
	}
	return nil
}

// ask returns the wanted rows, and from how many they were selected.
func (a *app) ask(ctx context.Context, v *statusView) (*statusBody, []provider.Status, error) {
	raw, err := a.client.Do(ctx, v.query.Request())
	if err != nil {
		return nil, nil, err
	}
	body, err := readStatus(raw)
	if err == nil && v.fleet {
		err = a.addRemote(ctx, body)
	}
	if err != nil {
		return nil, nil, err
	}
	all := body.Providers
	if !v.sel.changes() {
		return body, all, nil
	}
	places, err := v.sel.rows(all, body.TS.Time)
	if err == nil {
		err = body.choose(places)
	}
	return body, all, err
}

func (a *app) showStatus(ctx context.Context, v *statusView) error {
	if v.out.data() && !v.sel.changes() && !v.fleet {
		return a.passThroughAs(ctx, v.query.Request(), v.out)
	}
	body, all, err := a.ask(ctx, v)
	if err != nil {
		return err
	}
	if len(body.Providers) == 0 {
		a.sayNothing(v, all)
	}
	switch {
	case v.out.data():
		return a.writeData(body.raw, v.out)
	case len(body.Providers) == 0:
		return nil
	case v.card && len(body.Providers) == 1:
		return a.writeCard(ctx, &body.Providers[0], &body.StatusReply)
	case v.out.value == formatName:
		var b strings.Builder
		for _, id := range idsOf(body.Providers) {
			b.WriteString(provider.Printable(id) + "\n")
		}
		_, err := io.WriteString(a.data, b.String())
		return err
	}
	return WriteTable(a.Stdout, body.StatusReply, a.optionsOf(v, &body.StatusReply, len(all)))
}

// sayNothing prints why there is no row to show.
func (a *app) sayNothing(v *statusView, all []provider.Status) {
	message, hint := "no provider is configured", "add one to the configuration; see: providerctl info"
	if len(all) > 0 {
		message, hint = v.sel.nothing(all)
	}
	a.explain(&provider.Error{Message: message, Hint: hint})
}

// optionsOf are the options for a table of the wanted rows.
func (a *app) optionsOf(v *statusView, reply *provider.StatusReply, outOf int) TableOptions {
	opts := a.tableOptions(v.out, reply.TS)
	opts.NoHeaders = v.noHeaders
	if len(v.query.IDs) > 0 || v.sel.changes() { // rows that were selected are all wanted
		opts.Height = 0
	}
	if v.sel.filters() || len(v.sel.globs) > 0 {
		opts.OutOf = outOf
	}
	return opts
}

// tableOptions are the options for the screen as it is now.
func (a *app) tableOptions(out *format, now provider.Time) TableOptions {
	return TableOptions{
		Width:   a.term.width(),
		Height:  max(0, a.term.height()-1), // one line is for the prompt
		Color:   a.term.color,
		ASCII:   a.term.ascii,
		Summary: a.term.shown,
		Spell:   a.here,
		Wide:    out.value == formatWide,
		Now:     now.Local(),
	}
}

// writeStatus writes the table to fit the screen.
func (a *app) writeStatus(reply *provider.StatusReply, out *format) error {
	return WriteTable(a.Stdout, *reply, a.tableOptions(out, reply.TS))
}
