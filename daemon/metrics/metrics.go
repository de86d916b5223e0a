// Package metrics says in Prometheus' format what the daemon counts, on the
// control socket and, where the configuration wants it, on a loopback port.
//
// The parts of the daemon count for themselves, in plain numbers. Only a scrape
// turns those into metrics, from snapshots that wait for no probe and no disk: a
// daemon that nobody scrapes pays for the counting alone, and what is said of a
// provider goes away with it.
package metrics

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store"
)

// Sources are the parts that count. All are needed.
type Sources struct {
	Version  string
	Store    *store.Store
	Schedule *schedule.Scheduler
	Control  *control.Server
}

// Metrics is the registry of one daemon.
type Metrics struct {
	sources  Sources
	registry *prometheus.Registry
	scraping sync.Mutex // one at a time bounds what many at once cost
}

// New makes the registry. It collects nothing until it is asked.
func New(s Sources) *Metrics {
	m := &Metrics{sources: s, registry: prometheus.NewRegistry()}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "providerd_build_info",
		Help:        "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": s.Version, "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Text is all metrics as of now, in the text format 0.0.4.
func (m *Metrics) Text() ([]byte, error) {
	m.scraping.Lock()
	defer m.scraping.Unlock()
	families, err := m.registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather the metrics: %w", err)
	}
	var b bytes.Buffer
	enc := expfmt.NewEncoder(&b, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		if err := enc.Encode(family); err != nil {
			return nil, fmt.Errorf("write the metric %s: %w", family.GetName(), err)
		}
	}
	return b.Bytes(), nil
}
