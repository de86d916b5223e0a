package provider

// An Impact says how bad a vendor's own status feed calls a situation. The feeds
// have many words for it; these are the ones that all of them come down to.
type Impact string

const (
	ImpactNone        Impact = "none"        // nothing is reported
	ImpactMaintenance Impact = "maintenance" // planned, and under way
	ImpactMinor       Impact = "minor"       // degraded, and not out
	ImpactMajor       Impact = "major"       // out for some
	ImpactCritical    Impact = "critical"    // out
	ImpactUnknown     Impact = "unknown"     // a word that this version does not know; never taken for good
)

// Outage reports whether what is said is that the service is out, for some at
// least. Less than that is worth knowing, and no reason to call it DEGRADED.
func (i Impact) Outage() bool { return i == ImpactMajor || i == ImpactCritical }

// An Incident is what a vendor's own status feed says of a provider.
type Incident struct {
	Name   string `json:"name"`   // as the vendor calls it, or the component and its state
	Impact Impact `json:"impact"` // major and critical make a provider that answers DEGRADED
	Since  Time   `json:"since,omitzero"`
	URL    string `json:"url,omitempty"` // where to read on
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
	Missing    []string        `json:"missing,omitempty"`    // components that it should name and does not
	Unassigned []string        `json:"unassigned,omitempty"` // incidents that name no component, which count for nothing
	Error      string          `json:"error,omitempty"`      // why the last poll told nothing
}

// A FeedComponent is a part of the vendor's service that stands for the provider,
// in the feed's own words.
type FeedComponent struct {
	Name   string `json:"name"`
	Word   string `json:"word"`
	Impact Impact `json:"impact"`
}
