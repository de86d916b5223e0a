package daemon

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// discoverGap is the least time between two discoveries, for all callers together.
const discoverGap = time.Second

// A discovery is shared by the callers who ask while it runs, and for a moment after.
type discovery struct {
	mu    sync.Mutex
	began time.Time
	reply provider.DiscoverReply
}

// Discover finds the local kinds that answer at their default addresses, and the provider
// as which each is configured. Callers who asked before a discovery began share it.
func (d *Daemon) Discover(ctx context.Context) (provider.DiscoverReply, error) {
	asked := time.Now()
	d.discovery.mu.Lock()
	defer d.discovery.mu.Unlock()
	if began := d.discovery.began; began.IsZero() || asked.Sub(began) >= discoverGap {
		d.discovery.began = time.Now()
		// Others may wait for it, so it does not end with the first caller.
		found, err := probe.Discover(context.WithoutCancel(ctx), probe.Options{
			UserAgent: "providerd/" + d.opts.Version,
			Scarce:    func(err error) { d.shortage.Met("discovering servers", err) },
		})
		if err != nil {
			d.discovery.began = time.Time{}
			return provider.DiscoverReply{}, provider.Errorf(provider.TooMany, "see: providerctl health",
				"cannot find out what is listening: %v", err)
		}
		d.discovery.reply = provider.DiscoverReply{TS: provider.Time{Time: d.discovery.began}, Found: found}
	}
	cfg := d.config.Load()
	reply := provider.DiscoverReply{
		TS: d.discovery.reply.TS, Found: []provider.Discovered{},
		ConfigPath: cmp.Or(cfg.Path, config.DefaultPath(d.opts.Env)), ConfigExists: cfg.Path != "",
	}
	configured := d.schedule.Providers()
	for _, f := range d.discovery.reply.Found {
		f.ID = configuredAt(configured, f.BaseURL)
		reply.Found = append(reply.Found, f)
	}
	return reply, nil
}

// configuredAt is the id of the model server with that address; empty if there is none.
func configuredAt(all []*config.Provider, base string) string {
	for _, p := range all {
		if p.Type != provider.Generic && leadsTo(p, base) {
			return p.ID
		}
	}
	return ""
}

// leadsTo reports whether a provider is probed at the address that a URL of this machine
// refers to, whatever its path. Both localhost and the kind's default address, if the file
// gives none, stand for 127.0.0.1 and ::1.
func leadsTo(p *config.Provider, base string) bool {
	at, err := url.Parse(p.BaseURL)
	to, wrong := url.Parse(base)
	switch {
	case err != nil || wrong != nil:
		return p.BaseURL == base
	case at.Port() != to.Port():
		return false
	case at.Hostname() == to.Hostname():
		return true
	case !config.IsLoopback(at.Hostname()) || !config.IsLoopback(to.Hostname()):
		return false
	}
	return config.IsLocalhost(at.Hostname()) || !p.BaseURLGiven || strings.Contains(at.Hostname(), ":") == strings.Contains(to.Hostname(), ":")
}
