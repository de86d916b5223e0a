package control

import (
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// maxOutages is how many outages a reply describes. It counts all of them.
const maxOutages = 100

// spellsIn returns a provider's states between two times, according to its record, oldest
// first. The state is UNKNOWN while nobody watched, probing was paused, or the state could not
// be determined. Successive spells differ.
func spellsIn(rec *store.Record, from, until time.Time) []spell {
	var (
		spells  []spell
		now     = spell{state: provider.StateUnknown}
		dark    int // how many unwatched times the sweep is within
		changes = rec.Changes
		gaps    = rec.Unwatched
		ends    []time.Time // of the unwatched times that it is within
		at      = from
		last    time.Time // of a change at the moment when the watch ended
	)
	show := func(at time.Time) {
		shown := spell{at, now.state, now.reason}
		switch {
		case dark > 0:
			shown.state, shown.reason = provider.StateUnknown, ""
		case !rollup.Counts(now.state, now.reason):
			shown.state = provider.StateUnknown
		}
		if n := len(spells); n > 0 && spells[n-1].from.Equal(at) && !last.Equal(at) {
			spells = spells[:n-1]
		}
		if n := len(spells); n > 0 && spells[n-1].state == shown.state && spells[n-1].reason == shown.reason {
			return
		}
		spells = append(spells, shown)
	}
	show(at)
	for {
		next := until
		for _, t := range ends {
			next = earlier(next, t)
		}
		if len(gaps) > 0 {
			next = earlier(next, gaps[0].From)
		}
		if len(changes) > 0 {
			next = earlier(next, changes[0].Time)
		}
		if !next.Before(until) {
			return spells
		}
		at = later(at, next)
		if len(changes) > 0 && len(gaps) > 0 && dark == 0 &&
			rollup.Counts(changes[0].State, changes[0].Reason) && changes[0].Time.Equal(at) && gaps[0].From.Equal(at) {
			spells = append(spells, spell{at, changes[0].State, changes[0].Reason}) // the last that was seen, however briefly
			now, changes = spell{state: changes[0].State, reason: changes[0].Reason}, changes[1:]
			last = at
		}
		for len(changes) > 0 && !changes[0].Time.After(at) {
			now, changes = spell{state: changes[0].State, reason: changes[0].Reason}, changes[1:]
		}
		for len(gaps) > 0 && !gaps[0].From.After(at) {
			if gaps[0].Until.After(at) {
				ends = append(ends, gaps[0].Until)
			}
			gaps = gaps[1:]
		}
		ends = after(ends, at)
		dark = len(ends)
		show(at)
	}
}

// after keeps the times after at.
func after(times []time.Time, at time.Time) []time.Time {
	kept := times[:0]
	for _, t := range times {
		if t.After(at) {
			kept = append(kept, t)
		}
	}
	return kept
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// changesOf is the spells as a reply has them, without unknown time at the beginning.
func changesOf(spells []spell) (changes []provider.Change) {
	for _, s := range spells {
		if len(changes) == 0 && s.state == provider.StateUnknown {
			continue
		}
		changes = append(changes, provider.Change{Time: provider.Time{Time: s.from}, State: s.state, Reason: s.reason})
	}
	return changes
}

// outagesIn finds the outages among the spells. The last spell ends at until. Usable is how
// long the provider could be used.
func outagesIn(spells []spell, until time.Time, usable time.Duration) *provider.Outages {
	var (
		found   = &provider.Outages{}
		open    *outageSoFar
		longest time.Duration
		sum     time.Duration
	)
	end := func(at time.Time) {
		found.Count++
		sum += open.lasted
		longest = max(longest, open.lasted)
		one := open.outage()
		one.Ended = provider.Time{Time: at}
		found.Last = append(found.Last, one)
		open = nil
	}
	for i, s := range spells {
		next := until
		if i+1 < len(spells) {
			next = spells[i+1].from
		}
		switch {
		case s.state == provider.StateUnknown:
		case provider.Usable(s.state, s.reason):
			if open != nil {
				end(open.seen)
			}
		default:
			if open == nil {
				open = &outageSoFar{began: s.from}
			}
			open.add(s, next)
		}
	}
	if open != nil {
		end(time.Time{})
	}
	found.Seconds, found.LongestSeconds = inSeconds(sum), inSeconds(longest)
	if found.Count > 0 {
		found.MeanBetweenSeconds = inSeconds(usable / time.Duration(found.Count))
	}
	found.Last = found.Last[max(0, len(found.Last)-maxOutages):]
	return found
}

// An outageSoFar is an outage that may continue.
type outageSoFar struct {
	began, seen time.Time // it is known up to seen
	lasted      time.Duration
	main        spell // the longest
	held        time.Duration
}

// add adds a spell that lasts until next.
func (o *outageSoFar) add(s spell, next time.Time) {
	d := max(0, next.Sub(s.from))
	o.lasted += d
	o.seen = next
	if d > o.held || o.main.state == "" {
		o.main, o.held = s, d
	}
}

func (o *outageSoFar) outage() provider.Outage {
	return provider.Outage{Began: provider.Time{Time: o.began}, Seconds: inSeconds(o.lasted), State: o.main.state, Reason: o.main.reason}
}

func inSeconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }
