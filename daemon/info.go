package daemon

import (
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// Info describes this daemon. Package control adds the counters of its parts.
func (d *Daemon) Info() provider.DaemonInfo {
	path, absent := d.config.Load().Path, ""
	if path == "" {
		absent = config.DefaultPath(d.opts.Env)
	}
	return provider.DaemonInfo{
		Version:       d.opts.Version,
		PID:           os.Getpid(),
		StartedAt:     provider.Time{Time: d.started.Round(0).Add(d.schedule.Watch().Jumped())}, // by the clock as it is now
		UptimeSeconds: int64(time.Since(d.started).Seconds()),
		Socket:        d.socketPath(),
		ConfigPath:    path,
		ConfigDefault: absent,
		StatePath:     d.database(),
		LogLevel:      d.log.GetLevel().String(),
		Setup:         d.setup(),
	}
}

// SetLogLevel changes the level until the next restart, or until a reload finds a
// different one in the file.
func (d *Daemon) SetLogLevel(name string) error {
	level := hclog.LevelFromString(name)
	if level == hclog.NoLevel {
		return provider.Errorf(provider.BadRequest, "use trace, debug, info, warn, error or off",
			"no such log level: %q", strings.ToValidUTF8(name, "?"))
	}
	d.log.SetLevel(level)
	return nil
}
