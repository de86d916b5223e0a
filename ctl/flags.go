package ctl

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagError says in our words what is wrong with a flag, and what to type instead.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
		name    = cmd.Name()
		help    = "see: " + cmd.CommandPath() + " --help"
	)
	switch {
	case errors.As(err, &unknown):
		dashes := "--"
		if unknown.GetSpecifiedShortnames() != "" {
			dashes = "-"
		}
		return usage(help, "%s: no such flag: %s%s", name, dashes, unknown.GetSpecifiedName())
	case errors.As(err, &missing):
		flag := missing.GetFlag()
		return usage(example(flag), "%s: --%s needs a value", name, flag.Name)
	case errors.As(err, &invalid):
		flag := invalid.GetFlag()
		return usage(example(flag), "%s: --%s cannot be %q", name, flag.Name, invalid.GetValue())
	}
	return usage(help, "%s: %v", name, err)
}

// example is a way to give a flag that works.
func example(f *pflag.Flag) string {
	flag := "--" + f.Name
	switch f.Value.Type() {
	case "bool":
		return "write " + flag + " alone"
	case "duration":
		return "give a number and a unit: " + flag + " 30s"
	case "uint64", "int":
		return "give a whole number: " + flag + " 10"
	}
	if v, ok := f.Value.(*format); ok {
		return "use one of: " + strings.Join(v.allowed, ", ")
	}
	return "write " + flag + " VALUE: " + f.Usage
}
