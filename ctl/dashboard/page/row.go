package page

import (
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// A row is a provider in the overview.
type row struct {
	ID, Kind string
	Type     provider.Type
	State    provider.State
	Reason   provider.Reason
	Mark     string // beside the state: "paused", "stale", "?"
	Need     string
	Find     string // what the filter searches besides id, state and reason
	Paused   bool
	Rank     float64 // rows are in the order of their rank, then of their place
	Place    int

	Endpoint string
	Story    string // what is wrong, cut; empty if nothing is wrong
	Hint     string // what to do, cut
	Until    provider.Time
	Upkeep   provider.Time // until when it is in maintenance; zero: it is not
	Since    provider.Time
	Latency  string
	Seen     provider.Time
	Models   string // how many, and how many of them are loaded
	Loaded   int

	Spark  string // the path of its latencies
	Strip  *strip
	Uptime string
}

// The most that a row shows of a text, in bytes. The provider's own view has all of it.
const (
	mostStory = 240
	mostHint  = 240
)

// rowOf is the row of a provider. The record of the last day can be zero.
func rowOf(s *provider.Status, past record, now time.Time) row {
	need, urgency := ctl.NeedOf(s, now)
	r := row{
		ID: s.ID, Kind: s.Kind, Type: s.Type, State: s.State, Reason: s.Reason, Mark: markOf(s), Need: need, Find: s.Kind + " " + string(s.Type) + " " + cutText(s.Endpoint, mostStory), Paused: s.Paused, Rank: float64(urgency),
		Endpoint: cutText(s.Endpoint, mostStory), Since: s.Since, Latency: ctl.Latency(s.LatencyMS), Seen: s.CheckedAt,
	}
	if s.Reason != provider.OK || ctl.InDoubt(s) {
		r.Story = cutText(ctl.Story(s.Doubt, s.Detail), mostStory)
	}
	r.Hint = cutText(ctl.HintFor(s, now), mostHint)
	r.Story = unsaid(r.Story, r.Hint)
	if need == ctl.Limited {
		r.Until = s.RetryAt
	}
	if s.ModelsCount != nil {
		r.Models, r.Loaded = strconv.Itoa(*s.ModelsCount), len(s.LoadedModels)
	}
	if r.Strip = stripOf(past.buckets, now, time.Hour, 24); r.Strip == nil {
		r.Strip = stripOfRecord(past, time.Hour, 24)
	}
	r.Spark = sparkOf(latencies(past.buckets))
	if past.UptimeRatio != nil {
		r.Uptime = percent(*past.UptimeRatio)
	}
	return r
}

// unsaid is a story, unless the hint begins with it: of a paused provider both say that it is.
func unsaid(story, hint string) string {
	if strings.HasPrefix(hint, story) {
		return ""
	}
	return story
}

// findable is the text that a filter looks at.
func findable(s *provider.Status) string {
	return strings.ToLower(strings.Join([]string{s.ID, string(s.State), string(s.Reason), s.Kind, string(s.Type), s.Endpoint}, " "))
}

// markOf is a note beside the state, such as "stale".
func markOf(s *provider.Status) string {
	switch {
	case s.Paused:
		return "paused"
	case s.Stale:
		return "stale"
	case ctl.InDoubt(s):
		return "in doubt"
	}
	return ""
}

// Troubled reports whether something is shown in place of the provider's address.
func (r row) Troubled() bool { return r.Story != "" || r.Hint != "" || !r.Until.IsZero() }
