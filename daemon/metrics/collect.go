package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("providerd_"+name, help, labels, nil)
}

// What there is; docs/metrics.md has the same table, and a test holds it so.
var (
	providerInfo  = desc("provider_info", "Always 1; the labels say what the provider is.", "provider", "kind", "type")
	providerState = desc("provider_state", "1 for the state that the provider is in, 0 for the others.", "provider", "state")
	providerWhy   = desc("provider_reason", "1 for the reason of the state that the provider is in; the other reasons are absent.", "provider", "reason")
	lastCheck     = desc("provider_last_check_timestamp_seconds", "When the last probe began; absent before the first.", "provider")
	lastOK        = desc("provider_last_ok_timestamp_seconds", "When the last probe began that found it well, also before a restart; absent before the first.", "provider")
	nextCheck     = desc("provider_next_check_timestamp_seconds", "When the next probe is due; absent while paused.", "provider")
	eachProbes    = desc("provider_probes_total", "Probes of the provider that ended, by outcome as in providerd_probes_total.", "provider", "outcome")
	eachRefreshes = desc("provider_refreshes_total", "Refreshes that were asked of the provider: triggered, or skipped as it was not to be probed.", "provider", "outcome")
	eachCoalesced = desc("provider_coalesced_total", "Asks for a probe of the provider that shared another's.", "provider")
	latency       = desc("probe_latency_seconds", "How long the requests took that decided, of probes that were answered.", "provider")

	probes    = desc("probes_total", "Probes that ended: ok, not_ok, failed (the check itself broke) or discarded (cut short).", "outcome")
	refreshes = desc("refreshes_total", "Refreshes asked for: triggered, or skipped where nobody was to be probed.", "outcome")
	coalesced = desc("coalesced_total", "Asks for a probe that shared another's.")
	inFlight  = desc("scheduler_in_flight_probes", "Probes under way.")
	planned   = desc("scheduler_queued_probes", "Probes that wait for their time.")
	waiting   = desc("scheduler_waiting_probes", "Probes whose time has come, and that wait for a place.")
	lag       = desc("scheduler_lag_seconds", "How late the most overdue probe is.")

	commits       = desc("store_commits_total", "Commits to the database: ok or failed.", "outcome")
	commitTook    = desc("store_commit_duration_seconds", "How long the commits took, those that failed too.")
	databaseSize  = desc("store_database_size_bytes", "Size of the database's file.")
	freePages     = desc("store_free_pages", "Pages of the database that the next commits may use.")
	eventsKept    = desc("store_events", "Events that are kept.")
	eventsWaiting = desc("store_waiting_events", "Events that wait for a commit.")

	replies = desc("control_requests_total", "Requests on the control socket, by the HTTP status of their reply.", "code")
	denied  = desc("control_denied_total", "Requests refused to who asked, and connections turned away.")
	streams = desc("control_streams", "Streams that are open.")
)

// Describe implements [prometheus.Collector].
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		providerInfo, providerState, providerWhy, lastCheck, lastOK, nextCheck,
		eachProbes, eachRefreshes, eachCoalesced, latency,
		probes, refreshes, coalesced, inFlight, planned, waiting, lag,
		commits, commitTook, databaseSize, freePages, eventsKept, eventsWaiting,
		replies, denied, streams,
	} {
		out <- d
	}
}

// Collect implements [prometheus.Collector].
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	c := collection(out)
	m.collectProviders(c)
	m.collectSchedule(c)
	m.collectStore(c)
	m.collectControl(c)
}

func (m *Metrics) collectProviders(c collection) {
	counted := m.sources.Schedule.ByProvider()
	view := m.sources.Store.View()
	for i := range view.Len() {
		st := &view.At(i).Status
		c.gauge(providerInfo, 1, st.ID, st.Kind, string(st.Type))
		for _, state := range provider.States {
			in := 0.0
			if st.State == state {
				in = 1
			}
			c.gauge(providerState, in, st.ID, string(state))
		}
		c.gauge(providerWhy, 1, st.ID, string(st.Reason))
		c.timestamp(lastCheck, st.CheckedAt.Time, st.ID)
		c.timestamp(lastOK, st.LastOKAt.Time, st.ID)
		c.timestamp(nextCheck, st.NextCheckAt.Time, st.ID)
		n := counted[st.ID]
		c.outcomes(eachProbes, &n.Counts, st.ID)
		c.asks(eachRefreshes, &n.Counts, st.ID)
		c.counter(eachCoalesced, n.Coalesced, st.ID)
		c.histogram(latency, n.Latencies, st.ID)
	}
}

func (m *Metrics) collectSchedule(c collection) {
	s := m.sources.Schedule.Stats()
	c.outcomes(probes, &s.Counts)
	c.asks(refreshes, &s.Counts)
	c.counter(coalesced, s.Coalesced)
	c.gauge(inFlight, float64(s.InFlight))
	c.gauge(planned, float64(s.Planned))
	c.gauge(waiting, float64(s.Waiting))
	c.gauge(lag, s.Lag.Seconds())
}

func (m *Metrics) collectStore(c collection) {
	s := m.sources.Store.Stats()
	c.counter(commits, s.Commits, "ok")
	c.counter(commits, s.CommitsFailed, "failed")
	c.histogram(commitTook, s.CommitsTook)
	c.gauge(databaseSize, float64(s.Bytes))
	c.gauge(freePages, float64(s.FreePages))
	c.gauge(eventsKept, float64(s.Events))
	c.gauge(eventsWaiting, float64(s.Waiting))
}

func (m *Metrics) collectControl(c collection) {
	s := m.sources.Control.Stats()
	for code, n := range s.Replies {
		c.counter(replies, n, strconv.Itoa(code))
	}
	c.counter(denied, s.Denied)
	c.gauge(streams, float64(s.Streams))
}

// A collection receives the metrics of one scrape.
type collection chan<- prometheus.Metric

func (c collection) gauge(d *prometheus.Desc, v float64, labels ...string) {
	c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (c collection) counter(d *prometheus.Desc, n uint64, labels ...string) {
	c <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
}

// outcomes are the probes that ended; the outcome is the last label.
func (c collection) outcomes(d *prometheus.Desc, n *schedule.Counts, labels ...string) {
	c.counter(d, n.OK, append(labels, "ok")...)
	c.counter(d, n.NotOK, append(labels, "not_ok")...)
	c.counter(d, n.Failed, append(labels, "failed")...)
	c.counter(d, n.Discarded, append(labels, "discarded")...)
}

// asks are the refreshes; the outcome is the last label.
func (c collection) asks(d *prometheus.Desc, n *schedule.Counts, labels ...string) {
	c.counter(d, n.Refreshes-n.Idle, append(labels, "triggered")...)
	c.counter(d, n.Idle, append(labels, "skipped")...)
}

// timestamp leaves out what is not known.
func (c collection) timestamp(d *prometheus.Desc, t time.Time, labels ...string) {
	if !t.IsZero() {
		c.gauge(d, float64(t.UnixMilli())/1000, labels...)
	}
}

func (c collection) histogram(d *prometheus.Desc, took store.Durations, labels ...string) {
	buckets := make(map[float64]uint64, len(store.Steps))
	var below uint64
	for i, step := range store.Steps {
		below += took.Within[i]
		buckets[step] = below
	}
	c <- prometheus.MustNewConstHistogram(d, took.Count, took.Sum.Seconds(), buckets, labels...)
}
