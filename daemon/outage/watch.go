package outage

import (
	"time"

	"github.com/providerd/providerd/store/provider"
)

// maxLapses is how many lapses are remembered; time before the oldest counts as unknown.
const maxLapses = 256

// A Watch knows since when this process has been watching, and when it could not. It also
// maps the times of events, which were taken from the clock as it was then, onto the clock
// as it is now.
type Watch struct {
	began  time.Time // by the clock as it was then
	before uint64    // the newest event from before this process
	lapses []lapse
}

// A lapse is remembered with the time when it was noticed, and between which events.
type lapse struct {
	Lapse
	at          time.Time // by the clock as it was then, after the jump
	first, last uint64    // events up to first are from before it, those after last from after it
}

// NewWatch returns a Watch that begins now; before is the newest event so far.
func NewWatch(now time.Time, before uint64) Watch { return Watch{began: now.Round(0), before: before} }

// Missed returns a Watch with one more lapse, noticed now. Events up to first are from
// before it, and those after last from after it.
func (w Watch) Missed(l Lapse, now time.Time, first, last uint64) Watch {
	w.lapses = append(w.lapses[:len(w.lapses):len(w.lapses)], lapse{l, now.Round(0), first, last})
	if len(w.lapses) > maxLapses {
		oldest := w.lapses[0]
		w.began, w.before, w.lapses = oldest.at, oldest.last, w.lapses[1:]
	}
	return w
}

// Jumped is by how much the clock was set since the process began to watch.
func (w Watch) Jumped() time.Duration { return w.jumpedAfter(-1) }

// jumpedAfter is by how much the clock was set after the i-th lapse.
func (w Watch) jumpedAfter(i int) (by time.Duration) {
	for _, l := range w.lapses[i+1:] {
		by += l.Jumped
	}
	return by
}

// Began is when this process began to watch, by the clock as it is now.
func (w Watch) Began() time.Time { return w.began.Add(w.Jumped()) }

// At is the time of an event by the clock as it is now. An event from before this process
// lies before its beginning, whatever the clock said then.
func (w Watch) At(e *provider.Event) time.Time {
	at := e.Time.Round(0)
	for _, l := range w.lapses {
		if l.Jumped != 0 && l.isAfter(e.Seq, at) {
			at = at.Add(l.Jumped)
		}
	}
	if began := w.Began(); e.Seq <= w.before && at.After(began) {
		return began
	}
	return at
}

// isAfter reports whether a lapse came after an event. The event's time is by the clock
// before the lapse or after it: by whichever puts the event closer to the lapse.
func (l *lapse) isAfter(seq uint64, at time.Time) bool {
	if seq <= l.first || seq > l.last {
		return seq <= l.first
	}
	return l.at.Sub(at.Add(l.Jumped)).Abs() < l.at.Sub(at).Abs()
}

// Seen is how much of the time between two moments, by the clock as it is now, this process
// was watching.
func (w Watch) Seen(from, until time.Time) time.Duration {
	if began := w.Began(); from.Before(began) {
		from = began
	}
	seen := max(0, until.Round(0).Sub(from.Round(0)))
	for i, l := range w.lapses {
		end := l.at.Add(w.jumpedAfter(i))
		begin := end.Add(-l.Unseen())
		if begin.Before(from) {
			begin = from
		}
		if end.After(until) {
			end = until
		}
		seen -= max(0, end.Round(0).Sub(begin.Round(0)))
	}
	return max(0, seen)
}
