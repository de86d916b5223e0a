package ctl

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// watchLimits shows the limits, and again after every change, until ctx ends. No event tells of
// them, so it asks once a second. It outlives the daemon and continues with the next one.
func (a *app) watchLimits(ctx context.Context, ids []string, out *format) error {
	v := &vigil{app: a}
	var shown []limitsOf
	return v.keep(ctx, func(ctx context.Context) error {
		for {
			rows, now, err := a.limitRows(ctx, ids)
			if err != nil {
				return err
			}
			all := limitsOfAll(rows, now)
			if !v.begun || !alike(all, shown) {
				if err := a.showAgain(all, now, out, v.begun); err != nil {
					return err
				}
				shown = all
			}
			v.alive()
			if !pause(ctx, watchPace) {
				return ctx.Err()
			}
		}
	})
}

// showAgain shows limits after a change, or for the first time.
func (a *app) showAgain(all []limitsOf, now time.Time, out *format, again bool) error {
	switch {
	case out.json():
		body, err := json.Marshal(all)
		if err != nil {
			return err
		}
		return a.writeLine(body)
	case countLimits(all) == 0:
		a.say("no limit is known now")
		return nil
	case again:
		if err := a.writeLine(nil); err != nil {
			return err
		}
	}
	return a.writeLimits(all, now)
}

// alike reports whether two answers show the same. A reset that is named in seconds from now is
// never named for quite the same moment.
func alike(a, b []limitsOf) bool {
	const close = 5 * time.Second
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].ID != b[i].ID || a[i].UsedUp != b[i].UsedUp || len(a[i].Limits) != len(b[i].Limits) {
			return false
		}
		for j := range a[i].Limits {
			one, other := &a[i].Limits[j], &b[i].Limits[j]
			shift := one.ResetsAt.Sub(other.ResetsAt.Time).Abs()
			if one.Name != other.Name || !same(one.Remaining, other.Remaining) || !same(one.Limit, other.Limit) ||
				one.Source != other.Source || one.By != other.By || shift > close {
				return false
			}
		}
	}
	return true
}

// same reports whether two numbers, which may be unknown, are the same.
func same(a, b *float64) bool { return numberOr(a) == numberOr(b) }

func numberOr(n *float64) float64 {
	if n == nil {
		return math.Inf(-1)
	}
	return *n
}

// countLimits is how many limits are known.
func countLimits(all []limitsOf) (n int) {
	for i := range all {
		n += len(all[i].Limits)
	}
	return n
}

// limitsOfAll is what is left of the limits of providers now.
func limitsOfAll(rows []provider.Status, now time.Time) []limitsOf {
	all := make([]limitsOf, 0, len(rows))
	for i := range rows {
		s := &rows[i]
		one := limitsOf{s.ID, s.UsedUp(now) != nil, []provider.Limit{}}
		for _, l := range s.Limits.All() {
			if holds(&l, now) {
				one.Limits = append(one.Limits, l)
			}
		}
		all = append(all, one)
	}
	return all
}
