package ctl

import (
	"github.com/spf13/cobra"
)

func (a *app) logLevelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "log-level [LEVEL]",
		Short: "Show or change how much the daemon logs, until it restarts",
		Example: `  providerctl log-level
  providerctl log-level debug`,
		Args:              args(0, 1),
		ValidArgsFunction: cobra.FixedCompletions([]string{"trace", "debug", "info", "warn", "error", "off"}, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, levels []string) error {
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
