package daemon

import (
	"cmp"
	"os"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// setup is what the daemon knows of itself and its clients may be unable to see. All of it is
// in memory. daemon/control adds the caller, and removes what the caller may not see.
func (d *Daemon) setup() *provider.Setup {
	s := &provider.Setup{
		System:        d.opts.Env.ForSystem(),
		Config:        d.configInForce(),
		Keys:          []provider.KeyInUse{},
		Proxies:       provider.ProxiesOf(os.Getenv),
		ClockJumpedMS: d.schedule.Watch().Jumped().Milliseconds(),
	}
	for _, p := range d.schedule.Providers() {
		if p.Detected {
			s.Detected = append(s.Detected, p.ID)
		}
		if key := keyInUse(p); key.Source != "" || key.Problem != "" {
			key.Detected = p.Detected
			s.Keys = append(s.Keys, key)
		}
	}
	return s
}

func (d *Daemon) configInForce() provider.ConfigInForce {
	cfg := d.config.Load()
	c := provider.ConfigInForce{
		LoadedAt: provider.Time{Time: time.Unix(0, d.loaded.Load())}, ModifiedAt: provider.Time{Time: cfg.Modified},
		ReloadRefused: d.refusedReload.Load(), RestartNeeded: d.restartNeeded(cfg),
		Warnings: len(cfg.Warnings), Faults: len(cfg.Faults),
	}
	for _, f := range cfg.Faults {
		c.Problems = append(c.Problems, provider.ConfigProblem{ID: f.ID, Line: f.Line, Message: f.Message, Excerpt: f.Excerpt, Fix: f.Fix})
	}
	for _, w := range cfg.Warnings {
		c.Problems = append(c.Problems, provider.ConfigProblem{Message: w})
	}
	return c
}

// keyInUse is where a provider's key is from, and what is odd about it.
func keyInUse(p *config.Provider) provider.KeyInUse {
	k := provider.KeyInUse{ID: p.ID, Source: p.KeySource, Set: !p.Key.IsZero(), Problem: cmp.Or(p.KeyFault, p.KeyDoubt)}
	if k.Problem == "" && p.KeyMissing != "" {
		k.Problem = p.KeyMissing + " is not set"
	}
	return k
}
