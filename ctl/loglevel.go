package ctl

import (
	"github.com/providerd/providerd/ctl/command"
)

func (a *app) logLevelCommand() *command.Command {
	return &command.Command{
		Use:   "log-level [LEVEL]",
		Short: "Show or change how much the daemon logs, until it restarts",
		Example: `  providerctl log-level
  providerctl log-level debug`,
		Args:     args(0, 1),
		Complete: command.Offer([]string{"trace", "debug", "info", "warn", "error", "off"}, command.NoFiles),
		Run: func(cmd *command.Command, levels []string) error {
			if len(levels) == 0 {
				d, err := a.client.Daemon(cmd.Context())
				if err != nil {
					return err
				}
				return a.print(d.LogLevel)
			}
			reply, err := a.client.SetLogLevel(cmd.Context(), levels[0])
			if err != nil {
				return err
			}
			return a.print(reply.Level)
		},
	}
}
