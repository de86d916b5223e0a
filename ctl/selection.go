package ctl

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A selection is which rows are shown, and in what order. It selects from what the daemon
// returned, so that it works with any format and with an older daemon.
type selection struct {
	globs    []string // of IDs; none means all
	states   *list
	kinds    *list
	types    *list
	problems bool
	sort     *format
}

// The orders of rows. Unknown values come last.
const (
	sortConfigured = "" // as the daemon returns them, in the configuration's order
	sortID         = "id"
	sortState      = "state" // the most urgent first
	sortReason     = "reason"
	sortKind       = "kind"
	sortLatency    = "latency" // the fastest first
	sortAge        = "age"     // the one that was probed last first
	sortSince      = "since"   // the one that changed last first
)

func newSelection() *selection {
	return &selection{
		states: &list{allowed: stateNames(), fold: foldState},
		kinds:  &list{},
		types:  &list{allowed: []string{string(provider.Local), string(provider.Cloud), string(provider.Generic)}},
		sort:   &format{allowed: []string{sortID, sortState, sortReason, sortKind, sortLatency, sortAge, sortSince}},
	}
}

// filters reports whether rows are selected by anything but their IDs.
func (sel *selection) filters() bool {
	return len(sel.states.values)+len(sel.kinds.values)+len(sel.types.values) > 0 || sel.problems
}

// changes reports whether the rows, or their order, can differ from what the daemon
// returned.
func (sel *selection) changes() bool {
	return len(sel.globs) > 0 || sel.filters() || sel.sort.value != sortConfigured
}

// rows returns the places of the selected rows among all, in order. A glob that matches
// nothing is an error; filters that leave nothing are not.
func (sel *selection) rows(all []provider.Status, now time.Time) ([]int, error) {
	var ids []string
	if len(sel.globs) > 0 {
		var err error
		if ids, err = match(sel.globs, idsOf(all)); err != nil {
			return nil, err
		}
	}
	places := []int{}
	for i := range all {
		if s := &all[i]; (ids == nil || slices.Contains(ids, s.ID)) && sel.configured(s) && sel.stands(s, now) {
			places = append(places, i)
		}
	}
	slices.SortStableFunc(places, func(a, b int) int { return sel.compare(&all[a], &all[b], now) })
	return places, nil
}

// configured reports whether a row has a selected kind and type, which no probe changes.
func (sel *selection) configured(s *provider.Status) bool {
	return sel.kinds.takes(s.Kind) && sel.types.takes(string(s.Type))
}

// stands reports whether a row is in a selected state.
func (sel *selection) stands(s *provider.Status, now time.Time) bool {
	return sel.states.takes(string(s.State)) && (!sel.problems || standingOf(s, now) != usable)
}

func (sel *selection) compare(a, b *provider.Status, now time.Time) int {
	switch sel.sort.value {
	case sortID:
		return cmp.Compare(a.ID, b.ID)
	case sortState:
		return cmp.Or(cmp.Compare(standingOf(a, now), standingOf(b, now)), cmp.Compare(a.State, b.State))
	case sortReason:
		return cmp.Compare(a.Reason, b.Reason)
	case sortKind:
		return cmp.Compare(a.Kind, b.Kind)
	case sortLatency:
		return cmp.Compare(orLast(a.LatencyMS), orLast(b.LatencyMS))
	case sortAge:
		return cmp.Compare(ageOf(a, now), ageOf(b, now))
	case sortSince:
		return b.Since.Compare(a.Since.Time)
	}
	return 0
}

// orLast orders numbers in which zero means unknown.
func orLast(n float64) float64 {
	if n <= 0 {
		return math.Inf(1)
	}
	return n
}

// ageOf is how long ago a provider was probed, the longest if it never was.
func ageOf(s *provider.Status, now time.Time) time.Duration {
	switch {
	case s.AgeMS != nil:
		return time.Duration(*s.AgeMS) * time.Millisecond
	case !s.CheckedAt.IsZero():
		return now.Sub(s.CheckedAt.Time)
	}
	return math.MaxInt64
}

// nothing is the message if no row matches, and what to ask for instead.
func (sel *selection) nothing(all []provider.Status) (message, hint string) {
	if sel.problems && len(sel.states.values)+len(sel.kinds.values)+len(sel.types.values) == 0 {
		return "no problem: " + plural(len(all), "provider") + ", all usable", ""
	}
	for _, f := range []struct {
		flag string
		list *list
		of   func(*provider.Status) string
	}{
		{"--kind", sel.kinds, func(s *provider.Status) string { return s.Kind }},
		{"--type", sel.types, func(s *provider.Status) string { return string(s.Type) }},
		{"--state", sel.states, func(s *provider.Status) string { return string(s.State) }},
	} {
		there := valuesOf(all, f.of)
		if !slices.ContainsFunc(there, f.list.takes) {
			return "no provider has " + f.flag + " " + f.list.String(), f.list.instead(f.flag, there)
		}
	}
	return "none of the " + plural(len(all), "provider") + " matches", ""
}

// valuesOf are the distinct values of rows, in order.
func valuesOf(rows []provider.Status, of func(*provider.Status) string) []string {
	var values []string
	for i := range rows {
		if v := of(&rows[i]); v != "" && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return values
}
