package main

import (
	"errors"
	"fmt"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

func newConfigCommand(f *flags) *command.Command {
	cmd := &command.Command{
		Use: "config", Short: "Create, edit, check or show the configuration",
		Run: func(*command.Command, []string) error {
			return usageError{"config: init, edit, check, show or path?", "providerd config show"}
		},
	}
	cmd.AddCommand(newConfigInitCommand(f), newConfigEditCommand(f), newConfigCheckCommand(f), newConfigShowCommand(f), newConfigPathCommand(f))
	return cmd
}

func newConfigCheckCommand(f *flags) *command.Command {
	var quiet bool
	cmd := &command.Command{
		Use: "check [FILE]", Short: "Check a configuration file",
		SuggestFor: []string{"validate", "verify", "test", "lint"},
		Long: `Check a configuration file: FILE, or the one that a daemon would read here. It needs
no daemon.

For the machine's file (as root, with --system, or by its path) it also reports what
the service's user may not read: the file itself, keys, certificates, or a folder on
the way to them. It reads in the unit and its drop-ins which user that is.`,
		Args: oneFile, Complete: completeOneTOML,
		Run: func(cmd *command.Command, args []string) error {
			flags := *f
			if len(args) == 1 {
				flags.config = args[0]
			}
			cfg, err := flags.check(cmd, quiet)
			if err != nil {
				return answered(err, quiet)
			}
			if quiet {
				return nil
			}
			name := cfg.Path
			if name == "" {
				name = "no file, built-in defaults"
			}
			_, err = fmt.Fprintf(cmd.Out(), "%s: good, %s\n", provider.Printable(name), counted(cfg))
			if o, _, placed := flags.place(); len(args) == 0 && placed == nil && cfg.Path != "" {
				say(cmd, "put it in force: %s", flags.reloadLine(o, cfg))
			}
			return err
		},
	}
	quietFlag(cmd, &quiet)
	return cmd
}

// quietFlag gives a command that answers yes or no by its exit code the flag -q.
func quietFlag(cmd *command.Command, quiet *bool) {
	cmd.Flags().BoolVarP(quiet, "quiet", "q", false, "print nothing: the exit code answers")
}

// answered is err or, where nothing is to be said of it, that the file's mistakes are a no.
func answered(err error, quiet bool) error {
	var mistakes *config.Error
	if quiet && errors.As(err, &mistakes) {
		return errNo
	}
	return err
}

// check reads the configuration, prints its warnings, and returns what is wrong.
func (f *flags) check(cmd *command.Command, quiet bool) (*config.Config, error) {
	o, path, err := f.place()
	if err != nil {
		o, err = f.options() // without a place there are the built-in defaults
	}
	if err != nil {
		return nil, err
	}
	cfg, err := o.Load()
	if err != nil {
		return nil, f.asRoot(err, "config check", path)
	}
	warn := func(format string, args ...any) {
		if !quiet {
			say(cmd, "warning: "+format, args...)
		}
	}
	for _, w := range cfg.Warnings {
		warn("%s", w)
	}
	view := viewOfService(o, path)
	for _, fault := range cfg.Faults {
		if view.excuses(fault) {
			warn("%s: not checked, because the service may read it and you may not", fault.Message)
		}
	}
	if err := cfg.FaultError(view.excuses); err != nil {
		return nil, err
	}
	wrong, odd := view.unreadable(cfg)
	for _, w := range odd {
		warn("%s", w)
	}
	if len(wrong) > 0 && quiet {
		return nil, errNo
	}
	return cfg, joined(wrong)
}

// counted is the number of providers.
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
	running := false
	cmd := &command.Command{
		Use: "show", Short: "Print the configuration with its defaults, secrets masked",
		SuggestFor: []string{"print", "dump"},
		Long: `Print the configuration that a daemon would have if it started now, with every
default filled in and secrets masked.

With --running, ask the running daemon for the configuration in force. The two can
differ: the file may have changed since, and the daemon has its own flags and
variables. Only root, the daemon's own user and its administrators may ask.`,
		Example: `  providerd config show
  sudo providerd config show --running`,
		Args: noArguments,
		Run: func(cmd *command.Command, _ []string) error {
			if running {
				return f.showRunning(cmd)
			}
			cfg, err := f.load()
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.Out(), cfg.Show())
			sayWarnings(cmd, cfg)
			return err
		},
	}
	cmd.Flags().BoolVar(&running, "running", false, "ask the running daemon for what is in force")
	return cmd
}

// load returns the configuration that a daemon with these flags would have.
func (f *flags) load() (*config.Config, error) {
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	return o.Load()
}
