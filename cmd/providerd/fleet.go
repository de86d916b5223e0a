package main

import (
	"crypto/rand"
	"os"

	"golang.org/x/term"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/daemon/config"
)

func newFleetCommand(f *flags) *command.Command {
	cmd := &command.Command{
		Use: "fleet", Short: "Make a fleet's key, or check the way to its etcd",
		Run: func(*command.Command, []string) error {
			return usageError{"fleet: key or check?", "providerd fleet check"}
		},
	}
	cmd.AddCommand(newFleetKeyCommand())
	return cmd
}

func newFleetKeyCommand() *command.Command {
	return &command.Command{
		Use: "key", Short: "Print a new key for a fleet",
		Long: `Print a new key for a fleet: 32 random bytes as one line of base64. Put it into a file
that nobody else can read, and the same file on each member:

  (umask 077; providerd fleet key > /etc/providerd/credentials/fleet_key)

It is never stored in etcd.`,
		Args: noArguments,
		Run: func(cmd *command.Command, _ []string) error {
			key := make([]byte, config.FleetKeySize)
			_, _ = rand.Read(key) // never fails
			if _, err := cmd.Out().Write([]byte(config.FleetKeyText(key) + "\n")); err != nil {
				return err
			}
			if term.IsTerminal(int(os.Stdout.Fd())) {
				say(cmd, "anybody who saw it can use it: (umask 077; providerd fleet key > FILE)")
			}
			return nil
		},
	}
}
