package daemon

import (
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet"
	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

// newFleet makes this machine's member of a fleet, which has none until [Daemon.applyFleet].
func (d *Daemon) newFleet() *fleet.Engine {
	host, _ := os.Hostname() // without it, only addresses are known as ours
	return fleet.New(fleet.Options{
		Local: d.schedule, Log: d.log.Named("fleet"), Host: host, Version: d.opts.Version,
		Row: func(id string) (*provider.Status, []provider.Model) {
			if row := d.store.View().Row(id); row != nil {
				return &row.Status, row.Models
			}
			return nil, nil
		},
		Own:  func(name string) bool { return strings.EqualFold(name, host) || isOwnAddress(name) },
		Dial: func(f *config.Fleet) (bus.Bus, error) { return fleetBus(f, fleetPrefix(f), 0, f.Endpoints...) },
	})
}

// isOwnAddress reports whether a network interface of this machine has the address.
func isOwnAddress(host string) bool {
	ip := net.ParseIP(host)
	addresses, err := net.InterfaceAddrs()
	if ip == nil || err != nil {
		return false
	}
	return slices.ContainsFunc(addresses, func(a net.Addr) bool {
		of, ok := a.(*net.IPNet)
		return ok && of.IP.Equal(ip)
	})
}

// applyFleet passes the fleet and the providers of a configuration on. It cannot fail: what is
// wrong with a fleet is no reason to be without the rest.
func (d *Daemon) applyFleet(cfg *config.Config) {
	if d.fleet != nil {
		d.fleet.Configure(cfg.Fleet, d.schedule.Providers())
	}
}

// toFleet passes on what the scheduler tells the fleet. The scheduler is made first.
type toFleet struct{ d *Daemon }

func (t toFleet) Saw(id string, row *provider.Status, models []provider.Model, how schedule.How, began time.Time) {
	t.d.fleet.Saw(id, row, models, how, began)
}

func (t toFleet) Asked(id string, generation uint64) { t.d.fleet.Asked(id, generation) }

func (t toFleet) Disagrees(id string, ours bool) { t.d.fleet.Disagrees(id, ours) }

// healthReport is what is wrong now, and how this machine stands to its fleet, which is never
// wrong: a machine that is cut off works as one without a fleet.
func (d *Daemon) healthReport() provider.Health {
	report := d.health.Report()
	report.Fleet = d.fleet.Mode()
	return report
}
