package main

import (
	"github.com/providerd/providerd/ctl/command"
)

// completeTOML offers configuration files.
func completeTOML(*command.Command, []string, string) ([]string, command.Directive) {
	return []string{"toml"}, command.OfferExt
}

// completeOneTOML offers them for the first argument only.
func completeOneTOML(cmd *command.Command, args []string, typed string) ([]string, command.Directive) {
	if len(args) > 0 {
		return nil, command.NoFiles
	}
	return completeTOML(cmd, args, typed)
}
