package ctl

import (
	"errors"
	"strings"

	"github.com/providerd/providerd/ctl/command"
)

// FlagError words what is wrong with a flag, and what to type instead.
func FlagError(cmd *command.Command, err error) error {
	var (
		unknown *command.UnknownFlagError
		missing *command.MissingValueError
		invalid *command.InvalidValueError
		help    = "see: " + cmd.CommandPath() + " --help"
		name    = ""
	)
	if cmd.HasParent() {
		name = cmd.Name() + ": "
	}
	switch {
	case errors.As(err, &unknown):
		typed, word := "--"+unknown.Name, unknown.Name
		if unknown.Group != "" {
			typed, word = "-"+unknown.Name, unknown.Group
		}
		hint := flagHint(cmd, word, help)
		if unknown.Amid && strings.Contains(cmd.Use, " -- ") { // it may be the program's
			hint = "write -- before the program and its flags: " + cmd.UseLine()
		}
		return usage(hint, "%sno such flag: %s", name, typed)
	case errors.As(err, &missing):
		flag := missing.Flag
		return usage(valueHint(cmd, flag, ""), "%s--%s needs a value", name, flag.Name)
	case errors.As(err, &invalid):
		flag := invalid.Flag
		return usage(valueHint(cmd, flag, invalid.Value), "%s--%s cannot be %q", name, flag.Name, invalid.Value)
	}
	return usage(help, "%s%v", name, err)
}
