package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// foreground are other programs' commands for what providerd does without one.
var foreground = []string{"run", "serve", "daemon"}

// noSuchCommand refuses a word that is not a command below parent. At the top it can have
// been meant for a command further down, or for providerctl.
func noSuchCommand(parent *command.Command, typed string) error {
	if parent.HasParent() && !parent.HasSubCommands() {
		return noArguments(parent, []string{typed})
	}
	if parent.HasParent() {
		var names []string
		for _, cmd := range parent.Commands() {
			names = append(names, cmd.Name())
		}
		hint := ctl.CommandHint(typed, parent.CommandPath()+" --help", parent)
		return usageError{fmt.Sprintf("%s: no such command: %q; there are %s", parent.Name(), typed, strings.Join(names, ", ")), hint}
	}
	if slices.Contains(foreground, strings.ToLower(typed)) {
		return usageError{fmt.Sprintf("no such command: %q", typed), "did you mean: " + parent.Name()}
	}
	if strings.HasSuffix(typed, ".toml") {
		return usageError{fmt.Sprintf("no such command: %q", typed), "did you mean: " + parent.Name() + " --config " + typed}
	}
	if ctl.ShortBeside(typed) != "" {
		return usageError{fmt.Sprintf("no such command: %q", typed), "did you mean: providerctl " + typed}
	}
	places := []*command.Command{parent, ctl.Commands()}
	for _, cmd := range parent.Commands() {
		if cmd.HasSubCommands() && cmd.Name() != "completion" {
			places = append(places, cmd)
		}
	}
	return usageError{fmt.Sprintf("no such command: %q", typed), ctl.CommandHint(typed, parent.Name()+" --help", places...)}
}

// noSuchTopic refuses help for a word that is not a command below parent.
func noSuchTopic(parent *command.Command, typed string) error {
	if parent.HasParent() && !parent.HasSubCommands() {
		return usageError{fmt.Sprintf("help: %s has no command %q", parent.Name(), typed), ctl.HelpHint("did you mean: " + parent.CommandPath())}
	}
	err := noSuchCommand(parent, typed)
	if u := (usageError{}); errors.As(err, &u) {
		return usageError{u.message, ctl.HelpHint(u.hint)}
	}
	return err
}

// flagError words what is wrong with a flag, like providerctl.
func flagError(cmd *command.Command, err error) error {
	var e *provider.Error
	if errors.As(ctl.FlagError(cmd, err), &e) {
		return usageError{e.Message, e.Hint}
	}
	return usageError{err.Error(), cmd.CommandPath() + " --help"}
}
