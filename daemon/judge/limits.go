package judge

import (
	"slices"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// Limits are the witness for what is left of a provider's budgets, according to its own
// answers. They do not change its state. What users report who are not administrators is
// kept apart: it is shown for a minute at most, where nobody else knows, or knows that more is
// left. Limits are immutable; nil: nothing is known.
type Limits struct {
	known []provider.Limit // from probes and administrators; each name once
	heard []provider.Limit // from other users, while they are believed
	turns                  // when those were believed
}

// answered takes what a probe or an administrator was told. The newest answer about a limit
// counts.
func (w *Limits) answered(told []provider.Limit, source provider.Source, p *config.Provider, now time.Time) *Limits {
	if len(told) == 0 {
		return w
	}
	next := w.copy()
	next.known = slices.DeleteFunc(slices.Clone(next.known), func(l provider.Limit) bool {
		return named(told, l.Name) != nil || !now.Before(l.Ends(limitAge(p)))
	})
	for _, l := range told {
		l.Source = source
		next.known = append(next.known, l)
	}
	next.known = provider.FewLimits(next.known)
	next.heard = slices.DeleteFunc(slices.Clone(next.heard), func(l provider.Limit) bool { // what is known now is newer
		return named(told, l.Name) != nil
	})
	return next
}

// hear takes what a user was told. A user's word ends with the minute, and so does the reset
// that it names, so that nobody waits longer because of it.
func (w *Limits) hear(told []provider.Limit, by string, now time.Time) *Limits {
	next := w.copy()
	if !next.lasts(now) {
		turns, ok := next.begin(now)
		if !ok {
			return w
		}
		next.turns, next.heard = turns, nil
	}
	next.heard = slices.Clone(next.heard)
	for _, l := range told {
		l.Source, l.By = provider.FromReport, by
		l.ResetsAt = provider.AtMost(l.ResetsAt, next.until)
		if before := named(next.heard, l.Name); before == nil {
			next.heard = append(next.heard, l)
		} else if leavesLess(&l, before) {
			*before = l
		}
	}
	next.heard = provider.FewLimits(next.heard)
	return next
}

// shown are the limits in the row; nil if there are none.
func (w *Limits) shown(p *config.Provider, now time.Time) *provider.Limits {
	if w == nil {
		return nil
	}
	var all []provider.Limit
	for _, l := range w.known {
		if now.Before(l.Ends(limitAge(p))) {
			all = append(all, l)
		}
	}
	if w.lasts(now) {
		for _, l := range w.heard {
			switch before := named(all, l.Name); {
			case !now.Before(l.Ends(limitAge(p))):
			case before != nil && leavesLess(&l, before):
				*before = l
			case before == nil && len(all) < provider.MostLimits:
				all = append(all, l)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	return new(provider.Limits(provider.FewLimits(all)))
}

// ends is when the row's limits change by themselves; zero: never.
func (w *Limits) ends(p *config.Provider, now time.Time) time.Time {
	if w == nil {
		return time.Time{}
	}
	var first time.Time
	soonest := func(at time.Time) {
		if at.After(now) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	for _, l := range w.known {
		soonest(l.Ends(limitAge(p)))
	}
	if w.lasts(now) {
		soonest(w.until)
		for _, l := range w.heard {
			soonest(l.Ends(limitAge(p)))
		}
	}
	return first
}

// forget drops what is known, when the server or the key is another one. What users have
// spent stays.
func (w *Limits) forget() *Limits {
	if w == nil {
		return nil
	}
	return &Limits{turns: w.turns}
}

// moved adapts the times to a clock that was set.
func (w *Limits) moved(move func(time.Time) time.Time) *Limits {
	if w == nil {
		return nil
	}
	return &Limits{known: moveLimits(w.known, move), heard: moveLimits(w.heard, move), turns: w.turns.moved(move)}
}

func moveLimits(list []provider.Limit, move func(time.Time) time.Time) []provider.Limit {
	list = slices.Clone(list)
	for i := range list {
		list[i].At.Time, list[i].ResetsAt.Time = move(list[i].At.Time), move(list[i].ResetsAt.Time)
	}
	return list
}

func (w *Limits) copy() *Limits {
	if w == nil {
		return &Limits{}
	}
	return new(*w)
}

// restoredLimits are what an earlier process knew. Users are no longer believed, and if they
// were when it ended, their hour counts as spent.
func restoredLimits(st *provider.Status) *Limits {
	if st.Limits == nil {
		return nil
	}
	w := &Limits{}
	for _, l := range *st.Limits {
		if l.By == "" {
			w.known = append(w.known, l)
		} else {
			w.spent = []span{{l.At.Add(-provider.HearsayPerHour), l.At.Time}}
		}
	}
	w.known = provider.FewLimits(w.known)
	return w
}

// limitAge is how long a limit without a reset holds: as long as the row, at least.
func limitAge(p *config.Provider) time.Duration { return max(provider.LimitAge, p.TTL()) }

// leavesLess reports whether less is left according to a than to b.
func leavesLess(a, b *provider.Limit) bool {
	return a.Remaining != nil && (b.Remaining == nil || *a.Remaining < *b.Remaining)
}

// named is the limit of that name in a list; nil if there is none.
func named(list []provider.Limit, name string) *provider.Limit {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}

// ApplyLimits records what an administrator was told of a provider's limits.
func ApplyLimits(r Record, o *probe.Observation, p *config.Provider) Record {
	return r.withLimits(r.Limits.answered(o.Limits, provider.FromReport, p, o.Began), p, o.Began)
}

// HearLimits records what a user was told who is not an administrator; by names the user.
func HearLimits(r Record, o *probe.Observation, by string, p *config.Provider) Record {
	told := refused(o)
	if len(told) == 0 {
		return r
	}
	return r.withLimits(r.Limits.hear(told, by, o.Began), p, o.Began)
}

// refused are the limits that a report names. A request that was refused because of a limit has
// used up one, even if the answer names none: then the requests. It is not refuted by the probe
// that follows a user's report, which succeeds because it asks for less than the user did.
func refused(o *probe.Observation) []provider.Limit {
	spent := func(l provider.Limit) bool { return l.UsedUp(o.Began) }
	if o.Saw != provider.RateLimited || slices.ContainsFunc(o.Limits, spent) {
		return o.Limits
	}
	const requests = "requests"
	told := slices.DeleteFunc(slices.Clone(o.Limits), func(l provider.Limit) bool { return l.Name == requests })
	return append(told, provider.Limit{
		Name: requests, Remaining: new(0.0), At: provider.Time{Time: o.Began}, ResetsAt: provider.Time{Time: o.RetryAt},
	})
}

func (r Record) withLimits(w *Limits, p *config.Provider, now time.Time) Record {
	r.Limits = w
	r.Status.Limits = w.shown(p, now)
	return r
}

// LimitsEnd is when the row's limits change by themselves; zero: never.
func (b *Basis) LimitsEnd(p *config.Provider, now time.Time) time.Time { return b.Limits.ends(p, now) }
