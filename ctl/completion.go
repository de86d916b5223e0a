package ctl

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// completionPatience is how long a person who pressed Tab waits for the names
// of providers.
const completionPatience = 300 * time.Millisecond

// completeNoFiles ends the shells' habit of offering files where a program offers
// nothing; only a socket is one.
func completeNoFiles(root *cobra.Command) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	_ = root.RegisterFlagCompletionFunc("socket", cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)) // fails only for a flag that is not there
}

// completeOneFile offers files for the first argument alone.
func completeOneFile(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// pathsBelow are the command lines of the commands below parent.
func pathsBelow(parent *cobra.Command) (paths []string) {
	for _, cmd := range parent.Commands() {
		paths = append(paths, cmd.CommandPath())
	}
	return paths
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
		c.DialPatience, c.Passed = -1, nil
		reply, err := c.Status(ctx, client.StatusQuery{})
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var ids []cobra.Completion
		for _, s := range reply.Providers {
			if slices.Contains(args, s.ID) { // it is named already
				continue
			}
			ids = append(ids, cobra.CompletionWithDesc(printable(s.ID), string(s.State)))
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeStates offers the states that a list with commas does not have yet.
func completeStates(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	named := typed[:strings.LastIndexByte(typed, ',')+1]
	var lists []cobra.Completion
	for _, s := range provider.States {
		if !slices.Contains(strings.Split(named, ","), string(s)) {
			lists = append(lists, named+string(s))
		}
	}
	return lists, cobra.ShellCompDirectiveNoFileComp
}
