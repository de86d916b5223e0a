package provider

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// Bounds of what is kept of a provider's limits. A provider, or a user, can say anything.
const (
	MostLimits      = 8                   // of one provider
	LongestLimit    = 32                  // bytes of a name
	LimitAge        = 10 * time.Minute    // how long a limit without a reset is kept after the answer that it is from
	LongestReset    = 31 * 24 * time.Hour // a reset that is further away is unknown
	largestQuantity = 1e15                // vendors write huge numbers for "no limit"
)

// A Limit is one budget of a provider, as its last answer about that stated it. What is not
// known is left out.
type Limit struct {
	Name      string   `json:"name"`                // what is counted: requests, tokens, input_tokens, requests_day, credits…
	Remaining *float64 `json:"remaining,omitempty"` // until ResetsAt
	Limit     *float64 `json:"limit,omitempty"`     // the whole
	ResetsAt  Time     `json:"resets_at,omitzero"`
	Source    Source   `json:"source"`       // probe or report
	At        Time     `json:"at,omitzero"`  // when the answer came
	By        string   `json:"by,omitempty"` // a user who is not an administrator reported it: "uid 1000"
}

// Limits are the budgets of a provider, by name. They are never changed.
type Limits []Limit

// All returns the limits. There are none if l is nil.
func (l *Limits) All() []Limit {
	if l == nil {
		return nil
	}
	return *l
}

// UsedUp reports whether nothing is left and the reset is still to come.
func (l *Limit) UsedUp(now time.Time) bool {
	return l.Remaining != nil && *l.Remaining <= 0 && now.Before(l.Ends(LimitAge))
}

// Ends is when the limit says nothing any more: at its reset or, without one, when it is of
// that age.
func (l *Limit) Ends(age time.Duration) time.Time {
	if !l.ResetsAt.IsZero() {
		return l.ResetsAt.Time
	}
	return l.At.Add(age)
}

// Share is how much of the whole is left, between 0 and 1; ok is false if that is unknown.
func (l *Limit) Share() (share float64, ok bool) {
	switch {
	case l.Remaining == nil:
		return 1, false
	case *l.Remaining <= 0:
		return 0, true
	case l.Limit == nil || *l.Limit <= 0:
		return 1, false
	}
	return min(*l.Remaining / *l.Limit, 1), true
}

// UsedUp returns the limit that is used up for the longest time; nil if something is left of
// each. One without a reset comes first.
func (s *Status) UsedUp(now time.Time) *Limit {
	var longest *Limit
	for i := range s.Limits.All() {
		l := &(*s.Limits)[i]
		switch {
		case !l.UsedUp(now):
		case longest == nil, !longest.ResetsAt.IsZero() && (l.ResetsAt.IsZero() || l.ResetsAt.After(longest.ResetsAt.Time)):
			longest = l
		}
	}
	return longest
}

// Scarcest returns the limit of which the least is left; nil if there are none.
func (s *Status) Scarcest(now time.Time) *Limit {
	if l := s.UsedUp(now); l != nil {
		return l
	}
	var least *Limit
	for i := range s.Limits.All() {
		if l := &(*s.Limits)[i]; l.Remaining != nil && now.Before(l.Ends(LimitAge)) && (least == nil || scarcer(l, least) < 0) {
			least = l
		}
	}
	return least
}

// FewLimits returns the limits in the order of their names, at most [MostLimits]: those of
// which the least is left.
func FewLimits(all []Limit) []Limit {
	few := slices.Clone(all)
	if len(few) > MostLimits {
		slices.SortStableFunc(few, func(a, b Limit) int { return scarcer(&a, &b) })
		few = few[:MostLimits]
	}
	slices.SortStableFunc(few, func(a, b Limit) int { return cmp.Compare(a.Name, b.Name) })
	return few
}

// scarcer orders limits by how little is left.
func scarcer(a, b *Limit) int {
	left, _ := a.Share()
	other, _ := b.Share()
	return cmp.Or(cmp.Compare(left, other), cmp.Compare(a.Name, b.Name))
}

// Quantity is a number that a limit can have; nil for one that means nothing, such as −1
// for "unknown".
func Quantity(n float64) *float64 {
	if math.IsNaN(n) || n < 0 || n > largestQuantity {
		return nil
	}
	return &n
}

// LimitName makes a short name of printable ASCII; empty if nothing is left of it.
func LimitName(said string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '\t':
			return '_'
		case r <= ' ' || r >= 0x7f:
			return -1
		}
		return r
	}, strings.ToLower(said))
	return name[:min(len(name), LongestLimit)]
}
