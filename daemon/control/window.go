package control

import (
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// A period is the time that a history in buckets covers. It begins and ends with a bucket. The
// last bucket is still open.
type period struct {
	from, now time.Time
	step      time.Duration
	kept      time.Time // nothing is kept from before this
}

// The period of a query that has only a step.
const (
	usualHours = 2 * rollup.Day
	usualDays  = 30 * rollup.Day
)

// isBucketed reports whether the query asks for buckets.
func (q *query) isBucketed() bool { return q.window != nil || q.step != nil }

// period is the period that the query asks for. Begin is its from or since.
func (q *query) period(begin time.Time, now time.Time) period {
	p := period{now: now, from: begin}
	switch {
	case q.window != nil:
		p.from = now.Add(-*q.window)
	case q.from == nil && begin.IsZero() && q.step != nil && *q.step == rollup.Hour:
		p.from = now.Add(-usualHours)
	case q.from == nil && begin.IsZero():
		p.from = now.Add(-usualDays)
	case begin.After(now):
		p.from = now
	}
	p.step = provider.StepFor(now.Sub(p.from))
	if q.step != nil {
		p.step = *q.step
	}
	keep := store.KeepDays
	if p.step == rollup.Hour {
		keep = store.KeepHours
	}
	p.from, p.kept = rollup.Begin(p.from, p.step), rollup.Begin(now.Add(-keep), p.step)
	return p
}

// beginsOnce refuses a query that has two beginnings.
func (q *query) beginsOnce() *provider.Error {
	other := "since"
	if q.from != nil {
		other = "from"
	}
	if q.window == nil || q.from == nil && q.since == nil {
		return nil
	}
	return provider.Errorf(provider.BadRequest, "give window=30d, or from=2026-01-02T15:04:05Z, or since=N", "window and %s are both given", other)
}

// begin is where the period begins, or where the history begins if that is later.
func (p *period) begin() time.Time { return later(p.from, p.kept) }

// window is the period as a reply has it.
func (p *period) window() provider.Window {
	w := provider.Window{From: provider.Time{Time: p.from}, Until: provider.Time{Time: p.now}, Step: provider.StepName(p.step)}
	if p.from.Before(p.kept) {
		w.KeptFrom = provider.Time{Time: p.kept}
	}
	return w
}

// last is the beginning of the open bucket.
func (p *period) last() time.Time { return rollup.Begin(p.now, p.step) }

// times are when the buckets of the period begin, as far back as they are kept.
func (p *period) times() (times []provider.Time) {
	for at := p.begin(); !at.After(p.last()); at = at.Add(p.step) {
		times = append(times, provider.Time{Time: at})
	}
	return times
}

// parseWindow reads a length of time, as in 90s, 1h30m, 30d or 2w.
func parseWindow(name, value string) (*time.Duration, *provider.Error) {
	refused := provider.Errorf(provider.BadRequest, "write it as 36h, 30d or 2w", "%s is not a length of time: %q", name, shorten(value))
	units := map[byte]time.Duration{'w': 7 * rollup.Day, 'd': rollup.Day, 'h': time.Hour, 'm': time.Minute, 's': time.Second}
	const most = 100_000 // of any unit
	var sum time.Duration
	for rest := value; rest != ""; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.Atoi(rest[:digits])
		if err != nil || n > most || digits == len(rest) || units[rest[digits]] == 0 {
			return nil, refused
		}
		sum += time.Duration(n) * units[rest[digits]]
		rest = rest[digits+1:]
	}
	const longest = 100 * 365 * rollup.Day
	if sum <= 0 || sum > longest {
		return nil, refused
	}
	return &sum, nil
}

// parseStep reads the length of a bucket.
func parseStep(name, value string) (*time.Duration, *provider.Error) {
	for _, step := range []time.Duration{rollup.Hour, rollup.Day} {
		if value == provider.StepName(step) {
			return &step, nil
		}
	}
	return nil, provider.Errorf(provider.BadRequest, "write 1h or 1d", "%s is neither 1h nor 1d: %q", name, shorten(value))
}
