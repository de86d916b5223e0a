package ctl

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A standing is whether a provider can be used now and, if not, what that takes. The more
// urgent come first.
type standing int

const (
	needsSomebody standing = iota // stays so until somebody acts
	failing                       // there, or something in its place, and of no use
	stopped                       // not there
	limited                       // to be left alone until retry_at
	starting                      // usable soon
	keyless                       // it has no key, and nobody asked for it
	notKnown                      // not probed, or too long ago
	paused                        // somebody paused it
	impaired                      // serves, but not as it should
	usable
)

// standingOf is the standing of one row.
func standingOf(s *provider.Status, now time.Time) standing {
	meaning := s.Reason.Meaning()
	switch {
	case s.Paused:
		return paused
	case s.Unasked && s.Reason == provider.NoCredentials:
		return keyless
	case meaning.NeedsPerson:
		return needsSomebody
	case s.Stale:
		return notKnown
	case s.RetryAt.After(now):
		return limited
	}
	switch s.State {
	case provider.StateRunning:
		return usable
	case provider.StateStarting:
		return starting
	case provider.StateStopped:
		return stopped
	case provider.StateDegraded:
		if meaning.Serves {
			return impaired
		}
		return failing
	case provider.StateError:
		return failing
	}
	return notKnown
}

// byUrgency sorts rows that need somebody before those that recover by themselves, and
// those before the ones that can be used. Within each group, the order stays.
func byUrgency(rows []provider.Status, now time.Time) []provider.Status {
	return slices.SortedStableFunc(slices.Values(rows), func(a, b provider.Status) int {
		return int(standingOf(&a, now)) - int(standingOf(&b, now))
	})
}

// A census counts rows by standing.
type census struct {
	counts [usable + 1]int
	total  int
	until  provider.Time // when the first of those that are limited may be probed again
	last   provider.Time // and when the last of them
}

func censusOf(rows []provider.Status, now time.Time) (c census) {
	c.total = len(rows)
	for i := range rows {
		how := standingOf(&rows[i], now)
		c.counts[how]++
		if how != limited {
			continue
		}
		if at := rows[i].RetryAt; c.until.IsZero() || at.Before(c.until.Time) {
			c.until = at
		}
		if at := rows[i].RetryAt; at.After(c.last.Time) {
			c.last = at
		}
	}
	return c
}

// line sums up: "7 providers: 5 usable, 1 needs you, 1 limited until 12:31". If the rows
// were selected from more, their number is included.
func (c *census) line(outOf int, now time.Time) string {
	text := plural(c.total, "provider")
	if outOf > c.total {
		text = strconv.Itoa(c.total) + " of " + plural(outOf, "provider")
	}
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+what)
		}
	}
	add(c.counts[usable]+c.counts[impaired], "usable")
	if n := c.counts[needsSomebody]; n == 1 {
		add(n, "needs you")
	} else {
		add(n, "need you")
	}
	add(c.counts[failing], "failing")
	add(c.counts[stopped], "stopped")
	until := "limited until " + clock(c.until, now)
	if clock(c.last, now) != clock(c.until, now) {
		until = "limited, the first until " + clock(c.until, now)
	}
	add(c.counts[limited], until)
	add(c.counts[starting], "starting")
	add(c.counts[keyless], needNames[keyless])
	add(c.counts[notKnown], "not known")
	add(c.counts[paused], "paused")
	if len(parts) == 1 && c.total > 1 {
		_, what, _ := strings.Cut(parts[0], " ")
		return text + ", all " + what
	}
	return strings.TrimSuffix(text+": "+strings.Join(parts, ", "), ": ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// fitRows splits rows into those that a screen with so many lines shows and the rest,
// which a line counts. The last are left out first. Unless it is strict, those that need
// somebody, or are of limited use, stay.
func fitRows(rows []provider.Status, room int, strict bool, now time.Time) (shown, rest []provider.Status) {
	if len(rows) <= room {
		return rows, nil
	}
	keep := max(1, room-1)
	for !strict && keep < len(rows) && slices.ContainsFunc(rows[keep:], func(s provider.Status) bool { return standingOf(&s, now) != usable }) {
		keep++
	}
	if !strict && keep == len(rows)-1 { // it takes no more than the line that says so
		keep++
	}
	return rows[:keep], rows[keep:]
}
