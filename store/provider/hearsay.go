package provider

import "time"

// How long users who are no administrators are believed.
const (
	LongestHearsay = time.Minute      // one report, at most; and there is one such minute at a time
	HearsayPerHour = 10 * time.Minute // all of them together, in any hour
)

// A Hearsay is what users who are no administrators reported last of a provider. It
// stays in the row for an hour after they were last believed.
type Hearsay struct {
	At      Time   `json:"at"`
	By      string `json:"by"` // who: "uid 1000"
	Reason  Reason `json:"reason"`
	Detail  string `json:"detail"`
	RetryAt Time   `json:"retry_at,omitzero"` // when that user may ask again: nobody else has to wait

	Until   Time     `json:"until,omitzero"`     // users were, or at most are, believed until then; absent: they were not
	SpentMS int64    `json:"spent_ms,omitempty"` // of their time in the hour before that; a minute that a probe ended counts whole
	Over    *Beneath `json:"over,omitempty"`     // what the row would say without it; absent: it says that
}

// A Beneath is what a row would say if nobody had reported anything.
type Beneath struct {
	State  State  `json:"state"`
	Reason Reason `json:"reason"`
	Detail string `json:"detail,omitempty"`
	Doubt  *Doubt `json:"doubt,omitempty"`
	Since  Time   `json:"since,omitzero"`
	Source Source `json:"source"`
}
