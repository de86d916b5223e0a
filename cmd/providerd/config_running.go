package main

import (
	"errors"
	"fmt"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// showRunning prints what the daemon has in force.
func (f *flags) showRunning(cmd *command.Command) error {
	for name, given := range map[string]bool{"config": f.config != "", "state-dir": f.stateDir != "", "log-level": f.logLevel != ""} {
		if given {
			return usageError{fmt.Sprintf("--running asks the daemon, which has its own --%s", name), "providerd config show --running"}
		}
	}
	c := client.Client{Socket: f.socket, DialPatience: -1, Passed: func(err error) { say(cmd, "note: the socket %v", err) }}
	if f.system && c.Socket == "" {
		o, err := f.options()
		if err != nil {
			return err
		}
		c.Socket = config.DefaultSocket(o.Env)
	}
	reply, err := c.Config(cmd.Context())
	if e := (*provider.Error)(nil); errors.As(err, &e) {
		return provider.WithHint(e.Message, e.Hint)
	}
	if err != nil {
		return err
	}
	for _, w := range reply.Warnings {
		say(cmd, "warning: %s", w)
	}
	for _, s := range reply.RestartNeeded {
		say(cmd, "waits for a restart: %s", provider.Printable(s))
	}
	_, err = fmt.Fprint(cmd.Out(), reply.TOML)
	return err
}
