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

// discoverGap is the least time between two looks, whoever asks.
const discoverGap = time.Second

// A discovery is shared by those who ask while it is made, and for a moment after.
type discovery struct {
	mu    sync.Mutex
	began time.Time
	reply provider.DiscoverReply
}

// Discover tells which local kinds answer at their default addresses, and as which
// provider each is configured. Whoever asked before a look began shares it.
func (d *Daemon) Discover(ctx context.Context) (provider.DiscoverReply, error) {
	asked := time.Now()
	d.discovery.mu.Lock()
	defer d.discovery.mu.Unlock()
	if began := d.discovery.began; began.IsZero() || asked.Sub(began) >= discoverGap {
		d.discovery.began = time.Now()
		// Others may wait for it: it does not end with who asked first.
		found, err := probe.Discover(context.WithoutCancel(ctx), probe.Options{
			UserAgent: "providerd/" + d.opts.Version,
			Scarce:    func(err error) { d.shortage.Met("discovering servers", err) },
		})
		if err != nil {
			d.discovery.began = time.Time{}
			return provider.DiscoverReply{}, provider.Errorf(provider.TooMany, "see: providerctl health",
				"what listens cannot be found out: %v", err)
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

// configuredAt is the id of the model server with that address; empty when there is
// none.
func configuredAt(all []*config.Provider, base string) string {
	for _, p := range all {
		if p.Type != provider.Generic && leadsTo(p, base) {
			return p.ID
		}
	}
	return ""
}

// leadsTo reports whether a provider is asked where a URL of this machine leads,
// whatever its path. The address of its kind, which nobody gave, and localhost are both
// 127.0.0.1 and ::1.
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
