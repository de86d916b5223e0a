package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/daemon"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/configfile"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

func newConfigPathCommand(f *flags) *command.Command {
	return &command.Command{
		Use: "path", Short: "Print the path of the configuration file",
		SuggestFor: []string{"where", "file", "location"},
		Args:       noArguments,
		Run: func(cmd *command.Command, _ []string) error {
			_, path, err := f.place()
			if err != nil {
				return err
			}
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				say(cmd, "there is no such file yet; to create it: %s", f.again("config init --write", path))
			}
			_, err = fmt.Fprintln(cmd.Out(), path)
			return err
		},
	}
}

func newConfigInitCommand(f *flags) *command.Command {
	write := false
	cmd := &command.Command{
		Use: "init", Short: "Print a configuration file to start with, for this machine",
		SuggestFor: []string{"new", "create", "generate", "example"},
		Long: `Print a configuration file to start with: the model servers that answer at their
default addresses, the cloud APIs whose key variables are set, and other settings
as comments. It needs no daemon, holds no key, and can be used as it is.

With --write, write it to the path that "providerd config path" prints. A file
that exists already is not replaced.`,
		Example: `  providerd config init
  providerd config init --write`,
		Args: noArguments,
		Run: func(cmd *command.Command, _ []string) error {
			if !write {
				o, err := f.options()
				if err != nil {
					return err
				}
				_, err = io.WriteString(cmd.Out(), starter(cmd, o))
				return err
			}
			return f.writeStarter(cmd)
		},
	}
	cmd.Flags().BoolVar(&write, "write", false, "write it to its place, unless a file is there")
	return cmd
}

func (f *flags) writeStarter(cmd *command.Command) error {
	o, path, err := f.place()
	if err != nil {
		return err
	}
	exists := provider.WithHint(path+" exists already, and is not replaced", f.again("config edit", path))
	if _, err := os.Lstat(path); err == nil { // before anything is looked for
		return exists
	}
	err = configfile.Create(path, []byte(starter(cmd, o)), modes(o))
	if errors.Is(err, configfile.ErrExists) {
		return exists
	}
	if err != nil {
		return f.asRoot(err, "config init --write", path)
	}
	_, err = fmt.Fprintf(cmd.Out(), "wrote %s\n", provider.Printable(path))
	say(cmd, "to change it: %s; to put it in force: %s", f.again("config edit", path), f.reloadLine(o, nil))
	return err
}

// starter returns a file to start with, for this machine.
func starter(cmd *command.Command, o daemon.Options) string {
	found, err := probe.Discover(cmd.Context(), probe.Options{UserAgent: "providerd/" + o.Version, Scarce: func(error) {}})
	if err != nil {
		say(cmd, "cannot look for servers on this machine: %v", err)
	}
	return config.Starter(probe.Kinds(), o.Env, found)
}

// place returns where the file is, or would be.
func (f *flags) place() (daemon.Options, string, error) {
	o, err := f.options()
	if err != nil {
		return o, "", err
	}
	path := o.ConfigPath
	if path == "" {
		path = config.DefaultPath(o.Env)
	}
	if path == "" {
		return o, "", provider.WithHint("there is no place for the file: neither HOME nor XDG_CONFIG_HOME is an absolute path",
			"name one: --config FILE")
	}
	return o, path, nil
}

func modes(o daemon.Options) configfile.Modes {
	if o.Env.ForSystem() {
		return configfile.OfSystem
	}
	return configfile.OfUser
}

// again is the command line of another command with the flags of this one.
func (f *flags) again(words, path string) string {
	line := "providerd " + words
	if f.config != "" {
		line += " --config " + provider.ShellWord(path)
	}
	if f.system {
		line += " --system"
	}
	return line
}

// asRoot adds to an error of permission what would help. sudo is no help with a person's own
// file: for root, the file is the machine's.
func (f *flags) asRoot(err error, words, path string) error {
	switch {
	case !errors.Is(err, fs.ErrPermission) || os.Geteuid() <= 0:
		return err
	case f.config == "" && !f.system:
		return provider.WithHint(err.Error(), "see whose it is: ls -ld "+provider.ShellWord(path)+" "+provider.ShellWord(filepath.Dir(path)))
	}
	return provider.WithHint(err.Error(), "sudo "+f.again(words, path))
}

// reloadLine is the command that puts a change in force. A daemon does not watch its file.
func (f *flags) reloadLine(o daemon.Options, cfg *config.Config) string {
	line := "providerctl reload"
	switch usual := config.DefaultSocket(o.Env); {
	case f.socket != "":
		line = "providerctl --socket " + provider.ShellWord(o.Socket) + " reload"
	case cfg != nil && cfg.Daemon.Socket != usual:
		line = "providerctl --socket " + provider.ShellWord(cfg.Daemon.Socket) + " reload"
	}
	if o.Env.ForSystem() && os.Geteuid() > 0 {
		line = "sudo " + line
	}
	return line
}

func say(cmd *command.Command, format string, args ...any) {
	fmt.Fprintf(cmd.Err(), "providerd: %s\n", provider.PrintableLines(fmt.Sprintf(format, args...)))
}
