package ctl

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerd/providerd/ctl/client"
)

// completionPatience is how long a person who pressed Tab waits for the names
// of providers.
const completionPatience = 300 * time.Millisecond

// refuseOtherShells makes the completion command, which root has of cobra, refuse
// a shell that it does not know: cobra would show help and call that a success.
func refuseOtherShells(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	cmd, _, err := root.Find([]string{"completion"})
	if err != nil || cmd == root {
		return
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var known []string
		for _, shell := range cmd.Commands() {
			known = append(known, shell.CommandPath())
		}
		return usage("use one of: "+strings.Join(known, ", "), "completion: no such shell: %q", args[0])
	}
}

// completeIDs offers the providers of the running daemon, up to most of them on
// one command line; −1 means any number. It is silent when there is no daemon.
func (a *app) completeIDs(most int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if most >= 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
		defer cancel()
		c := *a.client
		c.DialPatience = -1
		reply, err := c.Status(ctx, client.StatusQuery{})
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var ids []cobra.Completion
		for _, s := range reply.Providers {
			ids = append(ids, cobra.CompletionWithDesc(printable(s.ID), string(s.State)))
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
}
