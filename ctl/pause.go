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
		short: "Probe providers again that were paused",
		other: []string{"enable", "unpause"},
		do:    (*client.Client).Resume,
		said:  func(id string) string { return id + " is probed again" },
		none:  "no provider is paused",
	})
}

// A switching is a command that changes providers and says so.
type switching struct {
	name  string
	to    bool // they are paused
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
		Long: s.short + `. ` + globHelp + `
Where one of several IDs is unknown, none is changed. Where one cannot be changed, the
others are, and it exits as for that one.`,
		Example:  "  providerctl " + s.name + " ollama\n  providerctl " + s.name + " 'gpu*' openai",
		Args:     args(0, -1),
		Complete: a.completeIDs(-1),
	}
	cmd.Flags().BoolVar(&all, "all", false, "every provider")
	cmd.Run = func(cmd *command.Command, words []string) error {
		switch {
		case len(words) == 0 && !all:
			return usage("usage: "+cmd.UseLine()+"; or for every provider: "+cmd.CommandPath()+" --all", "%s: an argument is missing", s.name)
		case len(words) > 0 && all:
			return usage("leave out either", "%s: --all and the ID %q", s.name, words[0])
		}
		return a.switchEach(cmd.Context(), s, words)
	}
	return cmd
}

// switchEach changes those that words mean; without any, all that are not so already.
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
	changed := make([]string, len(ids)) // what is said of each
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

// explain names the provider where the error does not, and repeats the command as it was
// typed where the daemon, which saw one provider, says what to type instead.
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
