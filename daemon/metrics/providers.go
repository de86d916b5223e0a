package metrics

import (
	"bufio"
	"strconv"
	"time"

	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// This file has the metrics of each provider. Their lines are most of a scrape, and are
// written directly: through client_golang a provider costs a hundred times as much as
// writing its bytes.

// A sample is what is known of one provider at one scrape.
type sample struct {
	st        *provider.Status
	goodUntil time.Time // when its certificate expires; zero: unknown
	retryAt   time.Time // zero: it may be asked at any time
	limits    []provider.Limit
	counted   schedule.ProviderStats
}

// sampleProviders reads each provider once, so that its lines agree with each other.
func (m *Metrics) sampleProviders(now time.Time) []sample {
	view, counted := m.sources.Store.View(), m.sources.Schedule.Counted()
	samples := make([]sample, view.Len())
	for i := range samples {
		row := view.At(i)
		s := sample{st: &row.Status, limits: row.Status.Limits.All(), counted: counted.Provider(row.Status.ID)}
		if d := row.Diagnostics; d != nil && d.TLS != nil {
			s.goodUntil = d.TLS.GoodUntil.Time
		}
		if at := row.Status.RetryAt.Time; at.After(now) {
			s.retryAt = at
		}
		samples[i] = s
	}
	return samples
}

// A family is one metric of each provider.
type family struct {
	name, kind, help string
	// lines appends the lines of one provider, if there are any.
	lines func(b []byte, name string, p *sample) []byte
}

// The metrics of each provider; docs/metrics.md has the same table.
var families = []family{
	{"providerd_provider_info", "gauge", "Always 1; the labels describe the provider.",
		func(b []byte, name string, p *sample) []byte {
			return appendCount(appendSeries(b, name, "kind", p.st.Kind, "provider", p.st.ID, "type", string(p.st.Type)), 1)
		}},
	{"providerd_provider_up", "gauge", "1 if the provider is RUNNING, 0 if not; absent while unknown or paused.",
		func(b []byte, name string, p *sample) []byte {
			switch {
			case p.st.State == provider.StateUnknown || p.st.Paused:
				return b
			case p.st.State == provider.StateRunning:
				return appendCount(appendSeries(b, name, "provider", p.st.ID), 1)
			}
			return appendCount(appendSeries(b, name, "provider", p.st.ID), 0)
		}},
	{"providerd_provider_state", "gauge", "1 for the provider's state; other states are absent.",
		func(b []byte, name string, p *sample) []byte {
			return appendCount(appendSeries(b, name, "provider", p.st.ID, "state", string(p.st.State)), 1)
		}},
	{"providerd_provider_reason", "gauge", "1 for the reason of the provider's state; other reasons are absent.",
		func(b []byte, name string, p *sample) []byte {
			return appendCount(appendSeries(b, name, "provider", p.st.ID, "reason", string(p.st.Reason)), 1)
		}},
	{"providerd_provider_last_change_timestamp_seconds", "gauge", "When the state last changed, across restarts; absent before the first probe.",
		timestamp(func(p *sample) time.Time { return p.st.Since.Time })},
	{"providerd_provider_last_ok_timestamp_seconds", "gauge", "When the last successful probe began, across restarts; absent before the first.",
		timestamp(func(p *sample) time.Time { return p.st.LastOKAt.Time })},
	{"providerd_provider_next_check_timestamp_seconds", "gauge", "When the next probe is due; absent while paused.",
		timestamp(func(p *sample) time.Time { return p.st.NextCheckAt.Time })},
	{"providerd_provider_retry_timestamp_seconds", "gauge", "Until when the provider asked not to be called; absent if it did not.",
		timestamp(func(p *sample) time.Time { return p.retryAt })},
	{"providerd_provider_limit_remaining", "gauge", "What is left of a limit, as the provider's last answer stated it; at most 8 limits of each provider. Absent once it is reset.",
		limits(func(l *provider.Limit) *float64 { return l.Remaining })},
	{"providerd_provider_limit_size", "gauge", "The whole of a limit; absent while unknown.",
		limits(func(l *provider.Limit) *float64 { return l.Limit })},
	{"providerd_provider_limit_reset_timestamp_seconds", "gauge", "When a limit is reset; absent while unknown.",
		func(b []byte, name string, p *sample) []byte {
			for _, l := range p.limits {
				if !l.ResetsAt.IsZero() {
					b = appendTime(appendSeries(b, name, "limit", l.Name, "provider", p.st.ID), l.ResetsAt.Time)
				}
			}
			return b
		}},
	{"providerd_provider_certificate_expiry_timestamp_seconds", "gauge", "When the first certificate of the chain expires; kind tls only, absent while the handshake fails.",
		timestamp(func(p *sample) time.Time { return p.goodUntil })},
	{"providerd_provider_latency_seconds", "gauge", "Latency of the last probe's deciding request; absent if it was not answered.",
		func(b []byte, name string, p *sample) []byte {
			if p.st.LatencyMS == 0 {
				return b
			}
			return appendFloat(appendSeries(b, name, "provider", p.st.ID), p.st.LatencyMS/1000)
		}},
	{"providerd_provider_models", "gauge", "Number of models that the provider lists; absent while unknown.",
		func(b []byte, name string, p *sample) []byte {
			if p.st.ModelsCount == nil {
				return b
			}
			return appendCount(appendSeries(b, name, "provider", p.st.ID), uint64(*p.st.ModelsCount))
		}},
	{"providerd_provider_requests_running", "gauge", "Requests that the provider works on, according to itself; absent if it does not report them.",
		func(b []byte, name string, p *sample) []byte {
			if p.st.Busy == nil {
				return b
			}
			return appendCount(appendSeries(b, name, "provider", p.st.ID), uint64(p.st.Busy.Running))
		}},
	{"providerd_provider_requests_waiting", "gauge", "Requests that wait at the provider, according to itself; absent if it does not report them.",
		func(b []byte, name string, p *sample) []byte {
			if p.st.Busy == nil || p.st.Busy.Waiting == nil {
				return b
			}
			return appendCount(appendSeries(b, name, "provider", p.st.ID), uint64(*p.st.Busy.Waiting))
		}},
	{"providerd_provider_probes_total", "counter", "Conclusive probes of the provider, by outcome: ok or not_ok.",
		func(b []byte, name string, p *sample) []byte {
			b = appendCount(appendSeries(b, name, "outcome", "ok", "provider", p.st.ID), p.counted.OK)
			return appendCount(appendSeries(b, name, "outcome", "not_ok", "provider", p.st.ID), p.counted.NotOK)
		}},
	{"providerd_provider_probe_latency_seconds", "histogram", "Latency of the deciding request of each answered probe; only with metrics_provider_latency.",
		func(b []byte, name string, p *sample) []byte {
			if p.counted.Latencies == nil {
				return b
			}
			return appendHistogram(b, name, p.st.ID, p.counted.Latencies)
		}},
}

// limits appends a number of each limit, unless it is unknown.
func limits(of func(*provider.Limit) *float64) func([]byte, string, *sample) []byte {
	return func(b []byte, name string, p *sample) []byte {
		for i := range p.limits {
			if n := of(&p.limits[i]); n != nil {
				b = appendFloat(appendSeries(b, name, "limit", p.limits[i].Name, "provider", p.st.ID), *n)
			}
		}
		return b
	}
}

// timestamp appends a time, unless it is unknown.
func timestamp(of func(*sample) time.Time) func([]byte, string, *sample) []byte {
	return func(b []byte, name string, p *sample) []byte {
		at := of(p)
		if at.IsZero() {
			return b
		}
		return appendTime(appendSeries(b, name, "provider", p.st.ID), at)
	}
}

// steps are the bounds of the buckets as Prometheus' own libraries write them.
var steps = func() (texts [len(store.Steps)]string) {
	for i, step := range store.Steps {
		texts[i] = strconv.FormatFloat(step, 'g', -1, 64)
	}
	return texts
}()

func appendHistogram(b []byte, name, id string, took *store.Durations) []byte {
	bucket, below := name+"_bucket", uint64(0)
	for i, step := range steps {
		below += took.Within[i]
		b = appendCount(appendSeries(b, bucket, "provider", id, "le", step), below)
	}
	b = appendCount(appendSeries(b, bucket, "provider", id, "le", "+Inf"), took.Count)
	b = appendFloat(appendSeries(b, name+"_sum", "provider", id), took.Sum.Seconds())
	return appendCount(appendSeries(b, name+"_count", "provider", id), took.Count)
}

// writeProviders writes family by family, as the format requires. w keeps its error.
func writeProviders(w *bufio.Writer, samples []sample) {
	for i := range families {
		f, begun := &families[i], false
		for j := range samples {
			lines := f.lines(w.AvailableBuffer(), f.name, &samples[j])
			if len(lines) > 0 && !begun {
				begun = true
				head := "# HELP " + f.name + " " + f.help + "\n# TYPE " + f.name + " " + f.kind + "\n"
				lines = append([]byte(head), lines...)
			}
			if _, err := w.Write(lines); err != nil {
				return
			}
		}
	}
}
