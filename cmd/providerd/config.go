package main

import (
	"fmt"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

func newConfigCommand(f *flags) *command.Command {
	cmd := &command.Command{
		Use: "config", Short: "Begin, edit, check or show the configuration",
		Run: func(*command.Command, []string) error {
			return usageError{"config: init, edit, check, show or path?", "providerd config show"}
		},
	}
	cmd.AddCommand(newConfigInitCommand(f), newConfigEditCommand(f), newConfigCheckCommand(f), newConfigShowCommand(f), newConfigPathCommand(f))
	return cmd
}

func newConfigCheckCommand(f *flags) *command.Command {
	return &command.Command{
		Use: "check [FILE]", Short: "Say whether a configuration file is good",
		SuggestFor: []string{"validate", "verify", "test", "lint"},
		Args:       oneFile, Complete: completeOneTOML,
		Run: func(cmd *command.Command, args []string) error {
			flags := *f
			if len(args) == 1 {
				flags.config = args[0]
			}
			cfg, err := flags.load()
			if err != nil {
				return err
			}
			sayWarnings(cmd, cfg)
			if err := cfg.FaultError(nil); err != nil {
				return err
			}
			name := cfg.Path
			if name == "" {
				name = "no file, built-in defaults"
			}
			_, err = fmt.Fprintf(cmd.Out(), "%s: good, %s\n", provider.Printable(name), counted(cfg))
			return err
		},
	}
}

// counted says how many providers there are.
func counted(cfg *config.Config) string {
	if len(cfg.Providers) == 1 {
		return "1 provider"
	}
	return fmt.Sprintf("%d providers", len(cfg.Providers))
}

func sayWarnings(cmd *command.Command, cfg *config.Config) {
	for _, w := range cfg.Warnings {
		fmt.Fprintf(cmd.Err(), "providerd: warning: %s\n", provider.PrintableLines(w))
	}
}

func oneFile(cmd *command.Command, args []string) error {
	if len(args) > 1 {
		return usageError{fmt.Sprintf("unexpected argument: %q", args[1]), cmd.CommandPath() + " FILE"}
	}
	return nil
}

func newConfigShowCommand(f *flags) *command.Command {
	return &command.Command{
		Use: "show", Short: "Print the configuration as it is understood, secrets masked",
		SuggestFor: []string{"print", "dump"},
		Args:       noArguments,
		Run: func(cmd *command.Command, _ []string) error {
			cfg, err := f.load()
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.Out(), cfg.Show())
			sayWarnings(cmd, cfg)
			return err
		},
	}
}

// load is the configuration that a daemon with these flags would have.
func (f *flags) load() (*config.Config, error) {
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	return o.Load()
}
