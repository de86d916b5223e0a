package daemon

import (
	"github.com/providerd/providerd/store/provider"
)

// Configuration is what is in force: the file as it was read, this process's flags, and the
// current values of settings that only a restart changes.
func (d *Daemon) Configuration(admins string) provider.ConfigReply {
	read := d.config.Load()
	now := *read
	now.Daemon.Socket, now.Daemon.StateDir = d.socketPath(), d.stateDir
	now.Daemon.MetricsListen, now.Daemon.AdminGroup = d.metricsListen, admins
	now.Daemon.LogLevel = d.log.GetLevel().String()
	for _, p := range d.schedule.Providers() {
		now.Providers = append(now.Providers, *p)
	}
	return provider.ConfigReply{
		ConfigPath: read.Path, TOML: now.Show(), RestartNeeded: d.restartNeeded(read), Warnings: warningsOf(read),
	}
}
