package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/notify/sink"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

// loadWithin is how long a reload waits for the file system.
const loadWithin = 5 * time.Second

// Load reads the configuration. The options override the file.
func (o *Options) Load() (*config.Config, error) {
	cfg, err := config.Load(o.ConfigPath, o.ConfigPath != "", probe.Kinds(), o.env())
	if err != nil {
		return nil, err
	}
	return o.over(cfg)
}

// Parse is like Load for a text that has not been saved yet; path is where it will be.
func (o *Options) Parse(path string, text []byte) (*config.Config, error) {
	cfg, err := config.Parse(path, text, probe.Kinds(), o.env())
	if err != nil {
		return nil, err
	}
	return o.over(cfg)
}

// env is the environment of the configuration, with what only other parts can check.
func (o *Options) env() config.Env {
	env := o.Env
	env.CheckNotify = sink.Check
	return env
}

// over lets the options override the file.
func (o *Options) over(cfg *config.Config) (*config.Config, error) {
	if o.Socket != "" {
		cfg.Daemon.Socket = o.Socket
	}
	if o.StateDir != "" {
		cfg.Daemon.StateDir = o.StateDir
	}
	cfg.Daemon.InsecureFolders = append(cfg.Daemon.InsecureFolders, o.Insecure...)
	if o.LogLevel != "" {
		cfg.Daemon.LogLevel = o.LogLevel
	}
	if err := cfg.Daemon.Validate(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// Reload reads the configuration again and replaces it as a whole. If it fails, with a
// [provider.Error] of code config_invalid, nothing has changed.
func (d *Daemon) Reload(context.Context) (provider.ReloadReply, error) {
	d.reloading.Lock()
	defer d.reloading.Unlock()
	d.logNotifyError(d.notifier.Reloading())
	reply, err := d.reload()
	d.refusedReload.Store(err != nil)
	if d.notifier != nil {
		d.logNotifyError(d.notifier.Reloaded(d.statusLine()))
	}
	return reply, err
}

func (d *Daemon) reload() (provider.ReloadReply, error) {
	cfg, err := d.loadAnew()
	if err != nil {
		return provider.ReloadReply{}, d.refused(err)
	}
	if err := cfg.FaultError(d.standing()); err != nil {
		return provider.ReloadReply{}, d.refused(err)
	}
	old := d.schedule.Providers()
	changes, err := d.apply(cfg)
	if err != nil {
		return provider.ReloadReply{}, d.refused(err)
	}
	before := d.config.Swap(cfg)
	d.loaded.Store(time.Now().UnixNano())
	if cfg.Daemon.LogLevel != before.Daemon.LogLevel {
		d.log.SetLevel(hclog.LevelFromString(cfg.Daemon.LogLevel))
	}
	d.control.SetAdmin(d.adminGroup(cfg))
	d.control.SetSlots(slotLimits(d.schedule.Providers()))
	d.warn(cfg)
	applied := slices.Concat(cfg.Daemon.Applied(before.Daemon), cfg.AppliedNotify(before), cfg.AppliedFleet(before))
	counts := []any{"path", cfg.Path, "added", len(changes.Added), "removed", len(changes.Removed), "changed", len(changes.Changed), "unchanged", changes.Unchanged}
	if len(applied) > 0 {
		counts = append(counts, "applied", strings.Join(applied, ", "))
	}
	d.log.Info("reloaded the configuration", counts...)
	return provider.ReloadReply{
		Status: "reloaded", ConfigPath: cfg.Path,
		Added: some(changes.Added), Removed: some(changes.Removed), Changed: some(changes.Changed),
		Unchanged: changes.Unchanged, RestartNeeded: d.restartNeeded(cfg),
		Applied: applied, ChangedSettings: changedSettings(changes.Changed, old, d.schedule.Providers()), Warnings: warningsOf(cfg),
	}, nil
}

// changedSettings lists the changed settings by provider. Of thousands it names only some.
func changedSettings(ids []string, old, now []*config.Provider) map[string][]string {
	changed := map[string][]string{}
	for _, p := range now {
		if len(changed) == mostNamed || !slices.Contains(ids, p.ID) {
			continue
		}
		if i := slices.IndexFunc(old, func(was *config.Provider) bool { return was.ID == p.ID }); i >= 0 {
			if names := p.ChangedSettings(old[i]); len(names) > 0 {
				changed[p.ID] = names
			}
		}
	}
	return changed
}

// mostNamed is the most providers whose changes a reload names, and the most warnings that
// it repeats. The log has them all.
const mostNamed = 100

// warningsOf lists the warnings, followed by the faults that were there before.
func warningsOf(cfg *config.Config) []string {
	all := slices.Clone(cfg.Warnings)
	for _, f := range cfg.Faults {
		all = append(all, strings.TrimSuffix(fmt.Sprintf("%s:%d: %s: %s", cfg.Path, f.Line, f.Message, f.Fix), ": "))
	}
	if more := len(all) - mostNamed; more > 0 {
		all = append(all[:mostNamed], fmt.Sprintf("and %d more in the log", more))
	}
	return all
}

// loadAnew reads the configuration even if files have run out or its file system does not
// answer.
func (d *Daemon) loadAnew() (*config.Config, error) {
	var cfg *config.Config
	var err error
	d.reserve.Lend(2, func() {
		var read *config.Config
		err = d.loads.Within(loadWithin, "reading the configuration", func() (err error) {
			read, err = d.opts.Load()
			return err
		})
		if err == nil {
			cfg = read
		}
	})
	return cfg, err
}

// standing lists the faults that providers, notifications and the fleet already have. A reload did not cause them,
// and must be able to correct something else.
func (d *Daemon) standing() func(config.Fault) bool {
	known := map[string]*config.Provider{}
	for _, p := range d.schedule.Providers() {
		known[p.ID] = p
	}
	before := d.config.Load()
	return func(f config.Fault) bool { return known[f.ID].Has(f) || before.NotifyHas(f) || before.FleetHas(f) }
}

// apply passes the providers to the parts that probe and report them. Those keep what they
// need, and the list is dropped: for a thousand providers it is half a megabyte.
func (d *Daemon) apply(cfg *config.Config) (schedule.Changes, error) {
	loadRoots(cfg)
	changes, err := d.schedule.Apply(cfg.Providers)
	if err != nil {
		return changes, err
	}
	d.schedule.KeepLatencies(cfg.Daemon.MetricsProviderLatency)
	d.ports.Follow(d.schedule.Ports())
	d.feeds.Follow(cfg.Providers)
	d.applyNotify(cfg)
	d.applyFleet(cfg)
	cfg.Providers = nil
	return changes, nil
}

// refused logs why a reload failed, and returns the error for the caller.
func (d *Daemon) refused(err error) error {
	d.log.Error("reload refused, configuration unchanged", "error", err)
	hint := cmp.Or(provider.HintOf(err), "correct the file, then: providerctl reload")
	if invalid, ok := errors.AsType[*config.Error](err); ok {
		hint = invalid.HintThen("providerctl reload") // which checks it too
	}
	return provider.Errorf(provider.ConfigInvalid, hint, "%v", err)
}

// warn logs what a configuration may contain but hardly means.
func (d *Daemon) warn(cfg *config.Config) {
	for _, w := range cfg.Warnings {
		d.log.Warn("configuration: "+w, "path", cfg.Path)
	}
	for _, f := range cfg.Faults {
		d.log.Error("configuration: "+f.Message, "path", cfg.Path, "line", f.Line, "id", f.ID, "fix", f.Fix)
	}
}

// restartNeeded lists the changed settings that need a restart.
func (d *Daemon) restartNeeded(cfg *config.Config) []string {
	var wait []string
	if now := d.socketPath(); d.inherited == nil && cfg.Daemon.Socket != now && config.SpareSocket(d.opts.Env, cfg.Daemon.Socket) != now {
		wait = append(wait, fmt.Sprintf("socket (now %s)", now))
	}
	if cfg.Daemon.StateDir != d.stateDir {
		wait = append(wait, fmt.Sprintf("state_dir (now %s)", d.stateDir))
	}
	if !slices.Equal(cfg.Daemon.InsecureFolders, d.insecure) {
		wait = append(wait, fmt.Sprintf("insecure_folders (now %s)", cmp.Or(strings.Join(d.insecure, ", "), "none")))
	}
	if cfg.Daemon.MetricsListen != d.metricsListen {
		wait = append(wait, fmt.Sprintf("metrics_listen (now %s)", cmp.Or(d.metricsListen, "none")))
	}
	return wait
}

// some turns a nil list into an empty one, for JSON.
func some(ids []string) []string {
	if ids == nil {
		return []string{}
	}
	return ids
}
