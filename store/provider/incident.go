package provider

// An Impact is how bad a situation is, according to a vendor's own status feed. The feeds
// have many words for it, which come down to these.
type Impact string

const (
	ImpactNone        Impact = "none"        // nothing is reported
	ImpactMaintenance Impact = "maintenance" // planned, and in progress
	ImpactMinor       Impact = "minor"       // degraded, but not out
	ImpactMajor       Impact = "major"       // out for some
	ImpactCritical    Impact = "critical"    // out
	ImpactUnknown     Impact = "unknown"     // a word that this version does not know; never taken for good
)

// Outage reports whether the service is out, at least for some. Less than that is worth
// knowing, but does not make it DEGRADED.
func (i Impact) Outage() bool { return i == ImpactMajor || i == ImpactCritical }

// An Incident is what a vendor's own status feed reports about a provider.
type Incident struct {
	Name   string `json:"name"`   // as the vendor calls it, or the component and its state
	Impact Impact `json:"impact"` // major and critical make a provider that answers DEGRADED
	Since  Time   `json:"since,omitzero"`
	URL    string `json:"url,omitempty"` // where to read more
}

// FeedStep is what was last read from the vendor's own status feed.
type FeedStep struct {
	URL        string          `json:"url"`
	Format     string          `json:"format"`
	PolledAt   Time            `json:"polled_at,omitzero"`
	ReadAt     Time            `json:"read_at,omitzero"` // when an answer was last understood, or unchanged
	NextPollAt Time            `json:"next_poll_at,omitzero"`
	TookMS     float64         `json:"took_ms"`
	Status     int             `json:"status,omitempty"` // of HTTP
	Impact     Impact          `json:"impact"`           // on this provider
	Components []FeedComponent `json:"components,omitempty"`
	Missing    []string        `json:"missing,omitempty"`    // components that it should name but does not
	Unassigned []string        `json:"unassigned,omitempty"` // incidents that name no component, which are ignored
	Error      string          `json:"error,omitempty"`      // why the last poll failed
}

// A FeedComponent is a part of the vendor's service that represents the provider, in the
// feed's own words.
type FeedComponent struct {
	Name   string `json:"name"`
	Word   string `json:"word"`
	Impact Impact `json:"impact"`
}
