package ctl

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) pauseCommand() *command.Command {
	return a.switchCommand(&switching{
		name: "pause", to: true,
		short: "Stop probing providers until they are resumed",
		other: []string{"disable"},
		do:    (*client.Client).Pause,
		said: func(id string) string {
			return id + " is paused; it keeps its last state until: providerctl resume " + id
		},
		none: "every provider is paused already",
	})
}

func (a *app) resumeCommand() *command.Command {
	return a.switchCommand(&switching{
		name: "resume", to: false,
		short: "Resume the probing of paused providers",
		other: []string{"enable", "unpause"},
		do:    (*client.Client).Resume,
		said:  func(id string) string { return id + " is probed again" },
		none:  "no provider is paused",
	})
}

// A switching is a command that pauses or resumes providers.
type switching struct {
	name  string
	to    bool // paused
	short string
	other []string // what other programs call it
	do    func(*client.Client, context.Context, string) (*provider.Status, error)
	said  func(id string) string
	none  string // there is nothing to change
}

func (a *app) switchCommand(s *switching) *command.Command {
	all := false
	cmd := &command.Command{
		Use:        s.name + " ID…",
		Short:      s.short,
		SuggestFor: s.other,
		Long: s.short + `.
` + globHelp + `
If one of several IDs is unknown, nothing is changed. If one provider cannot be changed,
the others still are, and the exit code is that one's.`,
		Example:  "  providerctl " + s.name + " ollama\n  providerctl " + s.name + " 'gpu*' openai",
		Args:     args(0, -1),
		Complete: a.completeIDs(-1),
	}
	cmd.Flags().BoolVar(&all, "all", false, "all providers")
	cmd.Run = func(cmd *command.Command, words []string) error {
		switch {
		case len(words) == 0 && !all:
			return usage("usage: "+cmd.UseLine()+"; or for all providers: "+cmd.CommandPath()+" --all", "%s: an argument is missing", s.name)
		case len(words) > 0 && all:
			return usage("use one or the other", "%s: --all and the ID %q", s.name, words[0])
		}
		return a.switchEach(cmd.Context(), s, words)
	}
	return cmd
}

// switchEach changes the providers that words mean; without words, all that need it.
func (a *app) switchEach(ctx context.Context, s *switching, words []string) error {
	ids, again := words, typed(words)
	if !single(words) {
		rows, err := a.rowsOf(ctx, words)
		if err != nil {
			return err
		}
		if len(words) == 0 {
			again = "--all"
			rows = slices.DeleteFunc(rows, func(row provider.Status) bool { return row.Paused == s.to })
		}
		ids = idsOf(rows)
	}
	if len(ids) == 0 {
		a.say("%s", s.none)
		return nil
	}
	changed := make([]string, len(ids)) // the message for each
	errs, tried := each(ids, func(id string) error {
		row, err := s.do(a.client, ctx, id)
		if err != nil {
			return s.explain(err, id, again, len(ids) > 1)
		}
		changed[slices.Index(ids, id)] = s.said(row.ID)
		return nil
	})
	if tried < len(ids) {
		errs = append(errs[:tried:tried], provider.Errorf("", "", "not tried: %s", strings.Join(ids[tried:], ", ")))
	}
	for _, line := range changed {
		if line == "" {
			continue
		}
		if err := a.print(line); err != nil {
			return errors.Join(err, failed(errs...))
		}
	}
	return failed(errs...)
}

// explain names the provider if the error does not. If the daemon, which saw a single
// provider, hints at a command, it puts in the words as they were typed.
func (s *switching) explain(err error, id, again string, several bool) error {
	var e *provider.Error
	if !several || !errors.As(err, &e) {
		return err
	}
	told := *e
	if !strings.Contains(told.Message, id) {
		told.Message = s.name + " " + id + ": " + told.Message
	}
	told.Hint = strings.Replace(told.Hint, s.name+" "+id, s.name+" "+again, 1)
	return &told
}
