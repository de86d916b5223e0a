// Package metrics serves the daemon's metrics in Prometheus' format, on the control socket
// and, if configured, on a loopback port.
//
// The parts of the daemon keep plain counters. Only a scrape turns them into metrics, from
// snapshots that wait for no probe and no disk. So a daemon that nobody scrapes pays only
// for the counting, and a removed provider leaves no metrics behind.
//
// There are two halves. The metrics of each provider are written by hand (providers.go,
// text.go); those of the daemon, the Go runtime and the process use client_golang
// (collect.go). Tests compare the first half with what client_golang would write.
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

// Sources are the parts that count. All are required.
type Sources struct {
	Version  string
	Store    *store.Store
	Schedule *schedule.Scheduler
	Control  *control.Server
	Health   func() provider.Health
	Sinks    func() []provider.NotifySink // nil: there are none
	Fleet    func() provider.FleetReply   // nil: there is none
}

// Metrics is the registry of one daemon.
type Metrics struct {
	sources  Sources
	registry *prometheus.Registry
}

// New makes the registry. It collects nothing before a scrape.
func New(s Sources) *Metrics {
	m := &Metrics{sources: s, registry: prometheus.NewRegistry()}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "providerd_build_info",
		Help:        "Always 1; the labels give the versions.",
		ConstLabels: prometheus.Labels{"version": s.Version, "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Scrape returns the metrics as of now. It does not wait.
func (m *Metrics) Scrape() (*Scrape, error) {
	families, err := m.registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather the metrics: %w", err)
	}
	return &Scrape{families, m.sampleProviders(time.Now())}, nil
}

// A Scrape is the content of one scrape. It holds no lock while it is written, so that a
// slow reader holds up nobody.
type Scrape struct {
	families  []*dto.MetricFamily // the daemon's
	providers []sample
}

// WriteTo writes the scrape in the text format 0.0.4, a piece at a time: for thousands of
// providers the whole has megabytes.
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
