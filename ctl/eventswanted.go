package ctl

import (
	"slices"

	"github.com/providerd/providerd/store/provider"
)

// A told is an event that the daemon sent or, where some are gone, the gap.
type told struct {
	provider.Event
	raw  []byte               // the line as it came
	gap  *provider.StreamNote // nil for an event
	said bool                 // for a gap: its cause has been reported
}

// eventsOf are those among them, without the gaps.
func eventsOf(all []told) (events []provider.Event) {
	for _, t := range all {
		if t.gap == nil {
			events = append(events, t.Event)
		}
	}
	return events
}

// An eventsWanted is the events that somebody asked for.
type eventsWanted struct {
	ids   []string // or patterns; none: all
	since since
	last  int // how many of the latest; less than zero: all
}

// past reports whether a follower wants any past events.
func (w *eventsWanted) past() bool { return w.since.given() || w.last > 0 }

// means reports whether an event concerns any of those that were named.
func (w *eventsWanted) means(e *provider.Event) bool {
	return len(w.ids) == 0 || slices.ContainsFunc(w.ids, func(id string) bool { return concerns(id, e) })
}

// concerns reports whether an event is about an ID, or one that matches a pattern. An
// event of the machine is also about the providers that it lost sight of.
func concerns(pattern string, e *provider.Event) bool {
	if !provider.IsGlob(pattern) {
		return e.Concerns(pattern)
	}
	hits, err := matchOne(pattern, append(slices.Clone(e.IDs), e.ID))
	return err == nil && len(hits) > 0
}

// among returns the wanted ones of the past events. A gap is included if the event after
// it could be wanted, because nobody knows whose events are gone.
func (w *eventsWanted) among(kept []told) []told {
	var wanted, gaps []told
	events := 0
	for _, t := range kept {
		switch {
		case t.gap != nil:
			gaps = append(gaps, t)
		case w.since.before(&t.Event):
			gaps = nil
		default:
			wanted, gaps = append(wanted, gaps...), nil
			if w.means(&t.Event) {
				wanted = append(wanted, t)
				events++
			}
		}
	}
	wanted = append(wanted, gaps...)
	if w.last < 0 || events <= w.last {
		return wanted
	}
	for i, t := range wanted {
		if t.gap != nil {
			continue
		}
		if events == w.last {
			return wanted[i:]
		}
		events--
	}
	return nil
}

// afterEvent returns what came after the last event seen. In this database that event can
// have another number, or be gone; it is recognized by its content, else by its time.
func afterEvent(kept []told, last *provider.Event) []told {
	for i := len(kept) - 1; i >= 0; i-- {
		e := &kept[i].Event
		if kept[i].gap == nil && e.ID == last.ID && e.Time.Equal(last.Time.Time) && e.From == last.From && e.To == last.To && e.Reason == last.Reason {
			return kept[i+1:]
		}
	}
	i := slices.IndexFunc(kept, func(t told) bool { return t.gap == nil && t.Time.After(last.Time.Time) })
	if i < 0 {
		return nil
	}
	return kept[i:]
}
