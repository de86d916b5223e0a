package main

import (
	"github.com/spf13/cobra"

	"github.com/providerd/providerd/daemon/config"
)

// completeFlags says what the shells offer after the daemon's flags, and that they
// offer files only where one is wanted. What a shell reads is from cobra's own
// command completion.
func completeFlags(cmd *cobra.Command) {
	cmd.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	for flag, complete := range map[string]cobra.CompletionFunc{
		"config":    completeTOML,
		"socket":    cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault),
		"state-dir": cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs),
		"log-level": cobra.FixedCompletions(config.LogLevels(), cobra.ShellCompDirectiveNoFileComp),
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, complete) // fails only for a flag that is not there
	}
}

// completeTOML offers configuration files.
func completeTOML(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []cobra.Completion{"toml"}, cobra.ShellCompDirectiveFilterFileExt
}

// completeOneTOML offers them for the first argument alone.
func completeOneTOML(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeTOML(cmd, args, typed)
}
