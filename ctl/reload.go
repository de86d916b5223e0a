package ctl

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
)

func (a *app) reloadCommand() *command.Command {
	cmd := &command.Command{
		Use:   "reload",
		Short: "Make the daemon read its configuration again",
		Long: `Make the daemon read its configuration again. A file with an error in it changes
nothing; the error is shown with its line. Otherwise it prints what was added, changed
and removed, and the settings that took effect. Warnings, and settings that wait for a
restart, go to standard error.`,
		Args: args(0, 0),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Run = func(cmd *command.Command, _ []string) error {
		if out.json() {
			return a.passThrough(cmd.Context(), client.Request{Method: "POST", Path: client.ReloadPath})
		}
		return a.reload(cmd.Context())
	}
	return cmd
}

func (a *app) reload(ctx context.Context) error {
	r, err := a.client.Reload(ctx)
	if err != nil {
		return err
	}
	what := r.ConfigPath
	if what == "" {
		what = "the built-in defaults"
	}
	for _, w := range r.Warnings {
		a.say("warning: %s", w)
	}
	var changes []string
	for _, c := range []struct {
		verb string
		ids  []string
	}{{"added", r.Added}, {"changed", withSettings(r.Changed, r.ChangedSettings)}, {"removed", r.Removed}} {
		if len(c.ids) > 0 {
			changes = append(changes, c.verb+" "+strings.Join(c.ids, " "))
		}
	}
	changes = append(changes, fmt.Sprintf("%d unchanged", r.Unchanged))
	if len(r.RestartNeeded) > 0 {
		a.say("restart the daemon for: %s", strings.Join(r.RestartNeeded, ", "))
	}
	line := "reloaded " + what + ": " + strings.Join(changes, ", ")
	if len(r.Applied) > 0 {
		line += "; now " + strings.Join(r.Applied, ", ")
	}
	return a.print(line)
}

// withSettings adds to each ID its changed settings.
func withSettings(ids []string, settings map[string][]string) []string {
	out := slices.Clone(ids)
	for i, id := range out {
		if changed := settings[id]; len(changed) > 0 {
			out[i] += " (" + strings.Join(changed, ", ") + ")"
		}
	}
	return out
}
