package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/daemon"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

func newFleetCommand(f *flags) *command.Command {
	cmd := &command.Command{
		Use: "fleet", Short: "Make a fleet's key, or check the way to its etcd",
		Run: func(*command.Command, []string) error {
			return usageError{"fleet: key or check?", "providerd fleet check"}
		},
	}
	cmd.AddCommand(newFleetKeyCommand(), newFleetCheckCommand(f))
	return cmd
}

func newFleetKeyCommand() *command.Command {
	return &command.Command{
		Use: "key", Short: "Print a new key for a fleet",
		Long: `Print a new key for a fleet: 32 random bytes as one line of base64. Put it into a file
that nobody else can read:

  (umask 077; providerd fleet key > fleet_key)

Then copy it to each member. The service of the system gets it as fleet_key_file =
"key_fleet_key" from a folder of root's:

  sudo install -D -m 600 fleet_key /etc/providerd/credentials/fleet_key

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

func newFleetCheckCommand(f *flags) *command.Command {
	return &command.Command{
		Use: "check", Short: "Check the way to the fleet's etcd",
		Long: `Check what [fleet] in the configuration needs: each of etcd's servers and its
certificate, this member's certificate, role, name and fleet_key, and the clock of leases.
It needs no daemon, and does not disturb one. Check the system's service as root: its user must
be able to read the files, too.

It fails if the fleet cannot be used.`,
		Args: noArguments,
		Run: func(cmd *command.Command, _ []string) error {
			o, path, err := f.place()
			if err != nil {
				return err
			}
			cfg, err := o.Load()
			if err != nil {
				return f.asRoot(err, "fleet check", path)
			}
			if cfg.Fleet == nil {
				hint := "see: man providerd.toml"
				if f.config == "" && !f.system && os.Geteuid() > 0 {
					hint += "; to check the service of the system: sudo providerd fleet check"
				}
				return usageError{"there is no [fleet] in " + provider.Printable(path), hint}
			}
			view := viewOfService(o, path)
			for _, fault := range cfg.Faults {
				if cfg.FleetHas(fault) && view.excuses(fault) {
					return provider.WithHint(fault.Message+", and the service may read it", "sudo "+f.again("fleet check", path))
				}
			}
			findings := &findingWriter{to: cmd.Out()}
			good := daemon.CheckFleet(cmd.Context(), cfg, findings.write)
			wrong, _ := view.unreadable(&config.Config{Path: path, Fleet: cfg.Fleet})
			for _, err := range wrong {
				findings.write(daemon.Finding{What: err.Error(), Bad: true, Hint: provider.HintOf(err)})
			}
			good = good && len(wrong) == 0
			if !good {
				return errNo
			}
			return nil
		},
	}
}

// A findingWriter prints the results of the check, and below each what to do.
type findingWriter struct {
	to   io.Writer
	said string // the hint above
}

// write prints a result. A hint that stands above is not repeated.
func (w *findingWriter) write(found daemon.Finding) {
	mark := "ok"
	switch {
	case found.Bad:
		mark = "FAILED"
	case found.Hint != "":
		mark = "warning"
	}
	fmt.Fprintf(w.to, "%-8s %s\n", mark, provider.Printable(found.What))
	if found.Hint != "" && found.Hint != w.said {
		fmt.Fprintf(w.to, "%-8s %s\n", "", provider.Printable(found.Hint))
	}
	w.said = found.Hint
}
