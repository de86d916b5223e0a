package ctl

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// FlagError says in our words what is wrong with a flag, and what to type instead.
// If the command itself is mistyped, its flag is not blamed.
func FlagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
		help    = "see: " + cmd.CommandPath() + " --help"
		name    = ""
	)
	if cmd.HasParent() {
		name = cmd.Name() + ": "
	}
	switch {
	case errors.As(err, &unknown):
		typed := "--" + unknown.GetSpecifiedName()
		word := unknown.GetSpecifiedName()
		if group := unknown.GetSpecifiedShortnames(); group != "" {
			typed, word = "-"+unknown.GetSpecifiedName(), group
			if group[0] >= 0x80 { // the name is one byte of a letter
				typed = "-" + group
			}
		}
		return usage(flagHint(cmd, word, help), "%sno such flag: %s", name, typed)
	case errors.As(err, &missing):
		flag := missing.GetFlag()
		return usage(valueHint(cmd, flag, ""), "%s--%s needs a value", name, flag.Name)
	case errors.As(err, &invalid):
		flag := invalid.GetFlag()
		return usage(valueHint(cmd, flag, invalid.GetValue()), "%s--%s cannot be %q", name, flag.Name, invalid.GetValue())
	}
	return usage(help, "%s%v", name, err)
}

// flagError is [FlagError], where the command is one.
func flagError(cmd *cobra.Command, err error) error {
	if typed := cmd.Flags().Args(); cmd.HasSubCommands() && len(typed) > 0 {
		return noSuchCommand(cmd, typed[0])
	}
	return FlagError(cmd, err)
}
