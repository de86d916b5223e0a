package provider

import "time"

// How long users who are not administrators are believed.
const (
	LongestHearsay = time.Minute      // for one report; there is one such minute at a time
	HearsayPerHour = 10 * time.Minute // all of them together, in any hour
)

// A Hearsay is what users who are not administrators last reported about a provider. It
// stays in the row for an hour after they were last believed.
type Hearsay struct {
	At      Time   `json:"at"`
	By      string `json:"by"` // who: "uid 1000"
	Reason  Reason `json:"reason"`
	Detail  string `json:"detail"`
	RetryAt Time   `json:"retry_at,omitzero"` // when that user may send requests again; nobody else has to wait

	Until   Time     `json:"until,omitzero"`     // when users stop, or stopped, being believed; absent: they were not believed
	SpentMS int64    `json:"spent_ms,omitempty"` // for how long they were believed in the hour before that
	Over    *Beneath `json:"over,omitempty"`     // what the row would be without it; absent: it changes nothing
}

// A Beneath is what a row would be if nobody had reported anything.
type Beneath struct {
	State  State  `json:"state"`
	Reason Reason `json:"reason"`
	Detail string `json:"detail,omitempty"`
	Doubt  *Doubt `json:"doubt,omitempty"`
	Since  Time   `json:"since,omitzero"`
	Source Source `json:"source"`
}
