// Package metrics says in Prometheus' format what the daemon counts, on the
// control socket and, where the configuration wants it, on a loopback port.
//
// The parts of the daemon count for themselves, in plain numbers. Only a scrape
// turns those into metrics, from snapshots that wait for no probe and no disk: a
// daemon that nobody scrapes pays for the counting alone, and what is said of a
// provider goes away with it.
//
// There are two halves. What grows with the number of providers is written by hand
// (providers.go, text.go); the daemon's own counters, the Go runtime and the process
// are client_golang's (collect.go). The tests hold the first to what client_golang's
// own encoder would write.
package metrics

import (
	"bufio"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// Sources are the parts that count. All are needed.
type Sources struct {
	Version  string
	Store    *store.Store
	Schedule *schedule.Scheduler
	Control  *control.Server
	Health   func() provider.Health
}

// Metrics is the registry of one daemon.
type Metrics struct {
	sources  Sources
	registry *prometheus.Registry
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

// Scrape is what there is to tell as of now. It waits for nothing.
func (m *Metrics) Scrape() (*Scrape, error) {
	families, err := m.registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather the metrics: %w", err)
	}
	return &Scrape{families, m.sampleProviders(time.Now())}, nil
}

// A Scrape is what is told once. It holds no lock while it is written, and a slow
// reader of one holds up nobody.
type Scrape struct {
	families  []*dto.MetricFamily // of the daemon
	providers []sample
}

// WriteTo writes it in the text format 0.0.4, a piece at a time: there is no copy of
// the whole, which has megabytes where there are thousands of providers.
func (s *Scrape) WriteTo(to io.Writer) (int64, error) {
	counted := &countingWriter{to: to}
	w := bufio.NewWriterSize(counted, 64<<10)
	enc := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range s.families {
		if err := enc.Encode(family); err != nil {
			return counted.n, fmt.Errorf("write the metric %s: %w", family.GetName(), err)
		}
	}
	writeProviders(w, s.providers)
	err := w.Flush()
	return counted.n, err
}

// A countingWriter counts what was written.
type countingWriter struct {
	to io.Writer
	n  int64
}

func (w *countingWriter) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	w.n += int64(n)
	return n, err
}
