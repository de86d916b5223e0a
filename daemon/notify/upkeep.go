package notify

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/store/provider"
)

// The keys of the values in the store.
const (
	upkeepKey  = "maintenance"
	sinkPrefix = "sink/"
)

func noteKey(sink string) string { return sinkPrefix + sink }

// sinkOf is the sink whose book has that key.
func sinkOf(key string) (id string, ok bool) { return strings.CutPrefix(key, sinkPrefix) }

// upkeepKept is how long maintenance that is over is remembered: trouble that began and ended
// in it is not told later.
const upkeepKept = 24 * time.Hour

// An upkeep is all maintenance: announced and from the configuration.
type upkeep struct {
	entries []provider.Maintenance
	planned func(id string, now time.Time) time.Time // of the configuration; nil: none
	changes uint64
	saved   uint64
}

// until returns when the maintenance of a provider at that time ends; zero: there is none.
func (u *upkeep) until(id string, now time.Time) (until time.Time) {
	if u.planned != nil {
		until = u.planned(id, now)
	}
	for i := range u.entries {
		if m := &u.entries[i]; m.ID == id && !now.Before(m.Since.Time) && now.Before(m.Until.Time) && m.Until.After(until) {
			until = m.Until.Time
		}
	}
	return until
}

// add announces maintenance. It replaces an earlier announcement for the same provider.
func (u *upkeep) add(m provider.Maintenance, now time.Time) {
	u.end(m.ID, now)
	u.entries = append(u.entries, m)
	u.changes++
}

// end ends the maintenance of a provider now, and forgets what ended long ago.
func (u *upkeep) end(id string, now time.Time) (ended bool) {
	for i := range u.entries {
		if m := &u.entries[i]; m.ID == id && m.Until.After(now) {
			m.Until, ended = provider.Time{Time: now}, true
		}
	}
	u.entries = slices.DeleteFunc(u.entries, func(m provider.Maintenance) bool { return now.Sub(m.Until.Time) >= upkeepKept })
	if ended {
		u.changes++
	}
	return ended
}

// now are those that last.
func (u *upkeep) now(now time.Time) []provider.Maintenance {
	return slices.DeleteFunc(append([]provider.Maintenance{}, u.entries...), func(m provider.Maintenance) bool { return !m.Until.After(now) })
}

func (u *upkeep) text() []byte {
	text, _ := json.Marshal(u.entries) // strings and times
	return text
}

func (u *upkeep) read(text []byte, log hclog.Logger) {
	if text == nil {
		return
	}
	if err := json.Unmarshal(text, &u.entries); err != nil {
		log.Warn("cannot read the announced maintenance: it is forgotten", "error", err)
	}
}
