package provider

import "time"

// HistoryReply answers GET /api/providers/{id}/history. With a window or a step it has buckets,
// and all of it covers the same time.
type HistoryReply struct {
	ID          string   `json:"id"`
	Since       Time     `json:"since,omitzero"`         // where the counted time begins
	UptimeRatio *float64 `json:"uptime_ratio,omitempty"` // the part of the known time in which it was RUNNING; absent if no time is known
	UsableRatio *float64 `json:"usable_ratio,omitempty"` // the part of the known time in which it could be used; absent if no time is known
	Spent
	Probed      *Probed  `json:"probed,omitempty"`  // absent without a window and a step
	Window      *Window  `json:"window,omitempty"`  // absent without a window and a step
	Buckets     []Bucket `json:"buckets,omitempty"` // oldest first; those of which nothing is known are left out, except the last, which is still open
	Outages     *Outages `json:"outages,omitempty"`
	Changes     []Change `json:"changes,omitempty"` // the states in the window, oldest first; they are kept longer than transitions
	Transitions []Event  `json:"transitions"`       // the kept events of that time, oldest first
	Gaps        []Gap    `json:"gaps,omitempty"`    // in the events of all providers
}

// A Window is the time that a history covers.
type Window struct {
	From     Time   `json:"from"`               // the beginning of a bucket
	Until    Time   `json:"until"`              // when the daemon answered
	Step     string `json:"step"`               // the length of a bucket: 1h or 1d, in UTC
	KeptFrom Time   `json:"kept_from,omitzero"` // where the kept buckets begin; absent if the window begins later
}

// Spent is how long a provider was in each state. Known time excludes time in which the daemon
// did not run or was held up, the machine was asleep, probing was paused, or the state was
// UNKNOWN.
type Spent struct {
	KnownSeconds  float64           `json:"known_seconds"`
	UsableSeconds float64           `json:"usable_seconds"` // of known time: RUNNING, or DEGRADED for a reason that leaves it usable
	StateSeconds  map[State]float64 `json:"state_seconds"`  // of known time
}

// Add adds another time.
func (s *Spent) Add(other Spent) {
	s.KnownSeconds += other.KnownSeconds
	s.UsableSeconds += other.UsableSeconds
	if s.StateSeconds == nil {
		s.StateSeconds = make(map[State]float64, len(other.StateSeconds))
	}
	for state, seconds := range other.StateSeconds {
		s.StateSeconds[state] += seconds
	}
}

// Up is the part of the known time in which the provider was RUNNING; nil if no time is
// known.
func (s *Spent) Up() *float64 { return s.share(s.StateSeconds[StateRunning]) }

// Usable is the part of the known time in which it could be used; nil if no time is known.
func (s *Spent) Usable() *float64 { return s.share(s.UsableSeconds) }

func (s *Spent) share(seconds float64) *float64 {
	if s.KnownSeconds <= 0 {
		return nil
	}
	ratio := min(1, seconds/s.KnownSeconds)
	return &ratio
}

// Probed is what probes saw. Latencies are within 5 % of the exact value, and are absent if
// no probe was answered.
type Probed struct {
	Probes uint64  `json:"probes"`           // conclusive ones
	OK     uint64  `json:"ok"`               // of those
	P50MS  float64 `json:"p50_ms,omitempty"` // the latency that half of the answers did not exceed
	P95MS  float64 `json:"p95_ms,omitempty"`
	P99MS  float64 `json:"p99_ms,omitempty"`
}

// A Bucket is an hour or a day, in UTC, of a provider's history.
type Bucket struct {
	Time Time `json:"time"` // when it begins
	Spent
	Probed
}

// A Change is the beginning of a state and reason.
type Change struct {
	Time   Time   `json:"time"`
	State  State  `json:"state"`            // UNKNOWN if nobody watched, or the state could not be determined
	Reason Reason `json:"reason,omitempty"` // absent if the daemon did not run, or the machine was asleep
}

// Outages are the known times in which a provider could not be used.
type Outages struct {
	Count              int      `json:"count"`
	Seconds            float64  `json:"seconds"`                        // of all of them
	LongestSeconds     float64  `json:"longest_seconds"`                // 0 if there is none
	MeanBetweenSeconds float64  `json:"mean_between_seconds,omitempty"` // the usable time, divided by their number; absent if there is none
	Last               []Outage `json:"last,omitempty"`                 // the last of them, oldest first, 100 at most
}

// An Outage is a time in which a provider could not be used. It continues over unknown time
// if the provider could not be used after that either, but unknown time does not count.
type Outage struct {
	Began   Time    `json:"began"`
	Ended   Time    `json:"ended,omitzero"` // absent until it is known to have ended; if it ended while nobody watched, when the watch ended
	Seconds float64 `json:"seconds"`        // of known time
	State   State   `json:"state"`
	Reason  Reason  `json:"reason"` // the one that held longest
}

// HistoriesReply answers GET /api/history.
type HistoriesReply struct {
	Window
	Times     []Time    `json:"times"`     // when each step begins, oldest first; the last one is still open
	Providers []History `json:"providers"` // the configured ones, in the configuration's order
}

// A History is one provider's entry of [HistoriesReply]. Up, Usable and Known have a number
// for each of its times.
type History struct {
	ID          string   `json:"id"`
	Kind        string   `json:"kind"`
	Type        Type     `json:"type"`
	Since       Time     `json:"since,omitzero"` // where the known time begins
	UptimeRatio *float64 `json:"uptime_ratio,omitempty"`
	UsableRatio *float64 `json:"usable_ratio,omitempty"`
	Spent
	Probed
	Outages *Outages   `json:"outages,omitempty"` // without last
	Up      []*float64 `json:"up"`                // the part of the step's known time in which it was RUNNING, to 4 decimals; null if none is known
	Usable  []*float64 `json:"usable"`            // the same for usable
	Known   []float64  `json:"known"`             // the part of the step that is known, to 4 decimals
}

// Usable reports whether a provider in that state, for that reason, can be used: it is RUNNING,
// or DEGRADED for a reason such as slow. providerctl pick accepts the same, but also looks at
// the row's age, its retry_at, and the model that is wanted.
func Usable(state State, reason Reason) bool {
	return state == StateRunning || state == StateDegraded && reason.Meaning().Serves
}

// Own is the state of the provider itself, whatever users report, and since when.
func (s *Status) Own() (state State, reason Reason, since Time) {
	if h := s.Hearsay; h != nil && h.Over != nil {
		return h.Over.State, h.Over.Reason, h.Over.Since
	}
	return s.State, s.Reason, s.Since
}

// The steps of a history.
const (
	Hourly = time.Hour
	Daily  = 24 * time.Hour
)

// StepFor is the default step for a window.
func StepFor(window time.Duration) time.Duration {
	if window <= 2*Daily {
		return Hourly
	}
	return Daily
}

// StepName is how a step is written: 1h or 1d.
func StepName(step time.Duration) string {
	if step == Daily {
		return "1d"
	}
	return "1h"
}

// StepOf is the length of the buckets.
func (w *Window) StepOf() time.Duration {
	if w.Step == "1d" {
		return Daily
	}
	return Hourly
}

// Until is when the counted time ends; zero if the reply has no window.
func (h *HistoryReply) Until() time.Time {
	if h.Window == nil {
		return time.Time{}
	}
	return h.Window.Until.Time
}
