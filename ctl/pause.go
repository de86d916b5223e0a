package ctl

import (
	"context"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) pauseCommand() *command.Command {
	cmd := a.switchCommand("pause", "Stop probing a provider until it is resumed",
		func(ctx context.Context, id string) (*provider.Status, error) { return a.client.Pause(ctx, id) },
		func(id string) string {
			return id + " is paused; it keeps its last state until: providerctl resume " + id
		})
	cmd.SuggestFor = []string{"disable"}
	return cmd
}

func (a *app) resumeCommand() *command.Command {
	cmd := a.switchCommand("resume", "Probe a provider again that was paused",
		func(ctx context.Context, id string) (*provider.Status, error) { return a.client.Resume(ctx, id) },
		func(id string) string { return id + " is probed again" })
	cmd.SuggestFor = []string{"enable", "unpause"}
	return cmd
}

// switchCommand is a command that changes one provider and says so.
func (a *app) switchCommand(name, short string, do func(context.Context, string) (*provider.Status, error), said func(id string) string) *command.Command {
	return &command.Command{
		Use:      name + " ID",
		Short:    short,
		Args:     args(1, 1),
		Complete: a.completeIDs(1),
		Run: func(cmd *command.Command, ids []string) error {
			s, err := do(cmd.Context(), ids[0])
			if err != nil {
				return err
			}
			return a.print(said(s.ID))
		},
	}
}
