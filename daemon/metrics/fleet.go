package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/providerd/providerd/store/provider"
)

// The metrics of the fleet; docs/metrics.md has the same table.
var (
	fleetOK        = desc("fleet_ok", "1 if this machine is a member of its fleet, 0 if it is cut off from it; absent without a fleet.")
	fleetMode      = desc("fleet_mode", "1 for the mode, as in GET /api/fleet; other modes are absent.", "mode")
	fleetWrites    = desc("fleet_writes_total", "Transactions sent to etcd.")
	fleetClaims    = desc("fleet_claims_total", "Times that this machine became the prober of a provider.")
	fleetFenced    = desc("fleet_fenced_writes_total", "Writes refused because another member had become the prober.")
	fleetOwnChecks = desc("fleet_own_checks_total", "Probes of providers that another member probes.")
	fleetRefused   = desc("fleet_refused_values_total", "Values of other members that could not be believed.")
	fleetAlone     = desc("fleet_alone_total", "Times that this machine was cut off from its fleet.")
)

func describeFleet(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{fleetOK, fleetMode, fleetWrites, fleetClaims, fleetFenced, fleetOwnChecks, fleetRefused, fleetAlone} {
		out <- d
	}
}

// collectFleet collects nothing if no fleet is configured.
func (m *Metrics) collectFleet(c collection) {
	if m.sources.Fleet == nil {
		return
	}
	r := m.sources.Fleet()
	if r.Mode == provider.FleetOff && r.Why == "" {
		return
	}
	ok := 0.0
	if r.Mode == provider.FleetOK {
		ok = 1
	}
	c.gauge(fleetOK, ok)
	c.gauge(fleetMode, 1, string(r.Mode))
	c.counter(fleetWrites, r.Counters.Writes)
	c.counter(fleetClaims, r.Counters.Claims)
	c.counter(fleetFenced, r.Counters.Fenced)
	c.counter(fleetOwnChecks, r.Counters.OwnChecks)
	c.counter(fleetRefused, r.Counters.Refused)
	c.counter(fleetAlone, r.Counters.Alone)
}
