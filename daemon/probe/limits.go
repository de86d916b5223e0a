package probe

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/probe/complaint"
	"github.com/providerd/providerd/daemon/probe/spelling"
	"github.com/providerd/providerd/store/provider"
)

// noteLimits reads what an answer's headers say is left of the provider's limits. No request
// is sent for that.
func (r *run) noteLimits(a *answer) {
	clean := r.p.clean
	said := complaint.Limits(a.header, r.p.now(), func(text string) bool { return clean.look(text) == spelling.Clean })
	if len(said) > 0 {
		r.limits = newest(said, r.limits)
	}
}

// isOwn reports whether a probe that saw this had its answers from the provider itself, and
// not from something in its place.
func isOwn(saw provider.Reason) bool {
	switch saw {
	case provider.WrongService, provider.BadResponse, provider.TLSFailure, provider.Intermediary, provider.ProbeFailed:
		return false
	}
	return true
}

// newest joins two lists of limits; of two with one name, that of the first list counts.
func newest(first, then []provider.Limit) []provider.Limit {
	if len(then) == 0 {
		return first
	}
	all := append([]provider.Limit(nil), first...)
	for _, l := range then {
		if !hasLimit(first, l.Name) {
			all = append(all, l)
		}
	}
	return provider.FewLimits(all)
}

func hasLimit(all []provider.Limit, name string) bool {
	for i := range all {
		if all[i].Name == name {
			return true
		}
	}
	return false
}

// credits is a limit that is counted in money, or in what a vendor sells for it. Less than
// nothing is nothing.
func credits(name string, remaining, whole *float64, resetsAt, now time.Time) []provider.Limit {
	l := provider.Limit{Name: name, ResetsAt: provider.Time{Time: resetsAt}, At: provider.Time{Time: now}}
	if remaining != nil {
		l.Remaining = provider.Quantity(max(0, *remaining))
	}
	if whole != nil {
		l.Limit = provider.Quantity(*whole)
	}
	if l.Remaining == nil && l.Limit == nil {
		return nil
	}
	return []provider.Limit{l}
}

// amount reads an amount of money that came as text or as a number; nil if it is none.
func amount(text string) *float64 {
	n, err := strconv.ParseFloat(strings.Trim(text, `" `), 64)
	if err != nil {
		return nil
	}
	return &n
}

// limitsOf are those in the headers that a caller was sent.
func limitsOf(h http.Header, now time.Time) []provider.Limit {
	return complaint.Limits(h, now, func(string) bool { return true })
}
