package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/providerd/providerd/daemon/health"
	"github.com/providerd/providerd/store"
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("providerd_"+name, help, labels, nil)
}

// The daemon's own metrics; docs/metrics.md has the same table, which a test checks.
var (
	probes    = desc("probes_total", "Finished probes: ok, not_ok, failed (the check itself broke) or discarded (aborted).", "outcome")
	refreshes = desc("refreshes_total", "Refresh requests: triggered, or skipped because there was nothing to probe.", "outcome")
	coalesced = desc("coalesced_total", "Requests for a probe that were served by another request's probe.")
	latency   = desc("probe_latency_seconds", "Latency of the deciding request of each answered probe, by the provider's kind.", "kind")
	inFlight  = desc("scheduler_in_flight_probes", "Probes in progress.")
	planned   = desc("scheduler_queued_probes", "Probes that are planned and not due yet.")
	waiting   = desc("scheduler_waiting_probes", "Probes that are due and wait for a free slot.")
	lag       = desc("scheduler_lag_seconds", "Delay of the most overdue probe.")

	commits       = desc("store_commits_total", "Commits to the database: ok or failed.", "outcome")
	commitTook    = desc("store_commit_duration_seconds", "Duration of commits, including failed ones.")
	compactions   = desc("store_compactions_total", "Compactions of the database file: ok or failed.", "outcome")
	databaseSize  = desc("store_database_size_bytes", "Size of the database file.")
	freePages     = desc("store_free_pages", "Free pages in the database file.")
	eventsKept    = desc("store_events", "Events kept in the database.")
	histories     = desc("store_history_providers", "Providers whose history is kept, including those that are no longer configured.")
	eventsWaiting = desc("store_waiting_events", "Events that wait for a commit.")

	replies      = desc("control_requests_total", "Requests on the control socket, by HTTP status.", "code")
	denied       = desc("control_denied_total", "Requests denied for lack of permission, and connections turned away.")
	streams      = desc("control_streams", "Open streams.")
	slotsUsed    = desc("slots_used", "Slots of providers that callers hold.")
	slotsWaiting = desc("slots_waiting", "Callers that wait for a slot of a provider.")

	notifySent    = desc("notify_sent_total", "Messages that the receiver accepted, across restarts.", "sink")
	notifyFailed  = desc("notify_failed_total", "Messages that were given up, across restarts.", "sink")
	notifyWaiting = desc("notify_waiting_messages", "Messages that are still to be sent.", "sink")
	notifyDead    = desc("notify_dead_messages", "Messages that were given up and are kept until somebody retries or drops them.", "sink")
	notifyOldest  = desc("notify_oldest_timestamp_seconds", "When the oldest waiting message was made; absent if none waits or in quiet hours.", "sink")

	checkOK = desc("check_ok", "1 if the daemon's own check passes, as in GET /healthz, 0 if it fails.", "check")
)

// Describe implements [prometheus.Collector].
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		probes, refreshes, coalesced, latency, inFlight, planned, waiting, lag,
		commits, commitTook, compactions, databaseSize, freePages, eventsKept, eventsWaiting, histories,
		replies, denied, streams, slotsUsed, slotsWaiting,
		notifySent, notifyFailed, notifyWaiting, notifyDead, notifyOldest,
		checkOK,
	} {
		out <- d
	}
	describeFleet(out)
}

// Collect implements [prometheus.Collector].
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	c := collection(out)
	m.collectSchedule(c)
	m.collectStore(c)
	m.collectControl(c)
	m.collectNotify(c)
	m.collectFleet(c)
	for name, problem := range m.sources.Health().Checks {
		ok := 0.0
		if problem == health.Ok {
			ok = 1
		}
		c.gauge(checkOK, ok, name)
	}
}

func (m *Metrics) collectSchedule(c collection) {
	s := m.sources.Schedule.Stats()
	c.counter(probes, s.OK, "ok")
	c.counter(probes, s.NotOK, "not_ok")
	c.counter(probes, s.Failed, "failed")
	c.counter(probes, s.Discarded, "discarded")
	c.counter(refreshes, s.Refreshes-s.Idle, "triggered")
	c.counter(refreshes, s.Idle, "skipped")
	c.counter(coalesced, s.Coalesced)
	for kind, took := range m.sources.Schedule.Counted().Kinds() {
		c.histogram(latency, took, kind)
	}
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
	c.counter(compactions, s.Compacted, "ok")
	c.counter(compactions, s.NotCompacted, "failed")
	c.gauge(databaseSize, float64(s.Bytes))
	c.gauge(freePages, float64(s.FreePages))
	c.gauge(eventsKept, float64(s.Events))
	c.gauge(eventsWaiting, float64(s.Waiting))
	c.gauge(histories, float64(s.Histories))
}

func (m *Metrics) collectControl(c collection) {
	s := m.sources.Control.Stats()
	for code, n := range s.Replies {
		c.counter(replies, n, strconv.Itoa(code))
	}
	c.counter(denied, s.Denied)
	c.gauge(streams, float64(s.Streams))
	c.gauge(slotsUsed, float64(s.Slots.Used))
	c.gauge(slotsWaiting, float64(s.Slots.Waiting))
}

func (m *Metrics) collectNotify(c collection) {
	if m.sources.Sinks == nil {
		return
	}
	for _, s := range m.sources.Sinks() {
		c.counter(notifySent, s.Sent, s.ID)
		c.counter(notifyFailed, s.Refused, s.ID)
		c.gauge(notifyWaiting, float64(s.Waiting), s.ID)
		c.gauge(notifyDead, float64(s.Dead), s.ID)
		if !s.Oldest.IsZero() && s.QuietUntil.IsZero() {
			c.gauge(notifyOldest, float64(s.Oldest.UnixMilli())/1000, s.ID)
		}
	}
}

// A collection receives the metrics of one scrape.
type collection chan<- prometheus.Metric

func (c collection) gauge(d *prometheus.Desc, v float64, labels ...string) {
	c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (c collection) counter(d *prometheus.Desc, n uint64, labels ...string) {
	c <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
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
