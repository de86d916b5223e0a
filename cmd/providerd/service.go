package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/daemon/service"
)

// errNo ends a command whose answer is no, and has been printed.
var errNo = errors.New("no")

func newServiceCommand(f *flags) *command.Command {
	var user bool
	const verbs = "install, uninstall, start, stop, restart or status"
	cmd := &command.Command{
		Use: "service", Short: "Install and control providerd as a service",
		Long: `Run providerd under this machine's service manager: systemd, OpenRC, launchd or that
of Windows. Installing again upgrades. The settings of the service are in its
configuration file.`,
		Run: func(*command.Command, []string) error {
			return usageError{"service: " + verbs + "?", "providerd service status"}
		},
		PreRun: func(cmd *command.Command, _ []string) error { return ownFlagsOnly(cmd, user && f.system) },
	}
	cmd.PersistentFlags().BoolVar(&user, "user", false, "a service of this user instead of the machine's")
	for _, v := range []struct {
		name, short string
		do          func(*service.Service, context.Context) error
	}{
		{"install", "Install or upgrade the service, and start it", (*service.Service).Install},
		{"uninstall", "Stop and remove the service; state and configuration stay", (*service.Service).Uninstall},
		{"start", "Start the service", (*service.Service).Start},
		{"stop", "Stop the service", (*service.Service).Stop},
		{"restart", "Restart the service", (*service.Service).Restart},
	} {
		cmd.AddCommand(&command.Command{
			Use: v.name, Short: v.short, Args: noArguments,
			Run: func(cmd *command.Command, _ []string) error {
				s, err := newService(user, cmd.Err())
				if err != nil {
					return err
				}
				return v.do(s, cmd.Context())
			},
		})
	}
	cmd.AddCommand(newServiceStatusCommand(&user))
	return cmd
}

func newServiceStatusCommand(user *bool) *command.Command {
	var quiet bool
	cmd := &command.Command{
		Use: "status", Short: "Show whether the service runs; exit 1 if not", Args: noArguments,
		Run: func(cmd *command.Command, _ []string) error {
			s, err := newService(*user, cmd.Err())
			if err != nil {
				return err
			}
			line, running, err := s.Status(cmd.Context())
			if err != nil {
				return err
			}
			if !quiet {
				_, err = fmt.Fprintln(cmd.Out(), line)
			}
			if err == nil && !running {
				return errNo
			}
			return err
		},
	}
	quietFlag(cmd, &quiet)
	return cmd
}

func newService(user bool, talk io.Writer) (*service.Service, error) {
	host, err := service.ThisHost()
	if err != nil {
		return nil, err
	}
	return service.New(host, user, talk)
}

// ownFlagsOnly refuses the daemon's flags, which the service would not have.
func ownFlagsOnly(cmd *command.Command, both bool) error {
	if both {
		return usageError{"--user and --system are both given", "use one or the other"}
	}
	var given []string
	for _, flag := range cmd.InheritedFlags() {
		switch flag.Name {
		case "config", "socket", "state-dir", "log-level", "log-json":
			if flag.Changed {
				given = append(given, "--"+flag.Name)
			}
		}
	}
	if len(given) > 0 {
		return usageError{"the service does not take " + strings.Join(given, " and "),
			"set it in the configuration file: providerd config --help"}
	}
	return nil
}
