package ctl

import (
	"math"
	"strconv"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// unknown is shown if there is no value.
const unknown = "-"

// latency shows milliseconds with about two significant digits.
func latency(ms float64) string {
	switch {
	case ms <= 0:
		return unknown
	case ms < 0.1:
		return "<0.1 ms"
	case ms < 9.95:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	case ms < 999.5:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	default:
		return strconv.FormatFloat(ms/1000, 'f', 1, 64) + " s"
	}
}

// span shows a duration in its largest unit: 3s, 2m, 5h, 3d.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "0s"
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + "s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d < 2*day:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	default:
		return strconv.Itoa(int(d/day)) + "d"
	}
}

// clock shows a time in the future, in the zone of now, with a date only if it is not
// today. It rounds up to the minute, so that the time has passed when a clock shows it,
// and shows seconds in the last two minutes.
func clock(t provider.Time, now time.Time) string {
	if t.IsZero() {
		return unknown
	}
	at := t.In(now.Location())
	if at.Sub(now) < 2*time.Minute {
		return at.Add(time.Second - 1).Format("15:04:05")
	}
	at = at.Add(time.Minute - 1)
	switch {
	case at.YearDay() == now.YearDay() && at.Year() == now.Year():
		return at.Format("15:04")
	case at.Year() == now.Year():
		return at.Format("Jan 2 15:04")
	}
	return at.Format("2006-01-02 15:04")
}

// age shows how old a row is, and whether it is stale.
func age(s provider.Status, now time.Time) string {
	var text string
	switch {
	case s.AgeMS != nil:
		text = span(time.Duration(*s.AgeMS) * time.Millisecond)
	case !s.CheckedAt.IsZero():
		text = span(now.Sub(s.CheckedAt.Time))
	case s.Stale && isRemote(s.ID): // its machine does not tell when it probed
		return "stale"
	default:
		return unknown
	}
	if s.Stale {
		text += " stale"
	}
	return text
}

// ago shows a time in the past.
func ago(t provider.Time, now time.Time) string {
	if t.IsZero() {
		return unknown
	}
	return span(now.Sub(t.Time)) + " ago"
}

// in shows a time in the future.
func in(t provider.Time, now time.Time) string {
	switch {
	case t.IsZero():
		return unknown
	case !t.After(now):
		return "now"
	default:
		return "in " + span(t.Sub(now))
	}
}

// size shows a size in decimal units, as vendors do.
func size(n int64) string {
	const kilo = 1000
	if n <= 0 {
		return unknown
	}
	value, units := float64(n), []string{"B", "kB", "MB", "GB", "TB", "PB"}
	for value >= 999.5 && len(units) > 1 {
		value, units = value/kilo, units[1:]
	}
	precision := 0
	if value < 9.95 && units[0] != "B" {
		precision = 1
	}
	return strconv.FormatFloat(value, 'f', precision, 64) + " " + units[0]
}

// tokens shows a count of tokens, which vendors round to thousands or to multiples of
// 1024: 128000 and 131072 are both 128k.
func tokens(n int64) string {
	const kilo, kibi = 1000, 1024
	if n <= 0 {
		return unknown
	}
	value, unit := float64(n), float64(kilo)
	if n%kilo != 0 && n%kibi == 0 {
		unit = kibi
	}
	units := []string{"", "k", "M", "G"}
	for value >= unit && len(units) > 1 {
		value, units = value/unit, units[1:]
	}
	return strconv.FormatFloat(math.Round(value*10)/10, 'f', -1, 64) + units[0]
}

// or returns s, or the mark for an unknown value if it is empty.
func or(s string) string {
	if s == "" {
		return unknown
	}
	return s
}

// deadline shows an instant to come in local time: the next second, as clock does, so that
// it is over when it reads so.
func deadline(t provider.Time) string {
	if t.IsZero() {
		return unknown
	}
	return stamp(provider.Time{Time: t.Add(time.Second - 1)})
}

// stamp shows an instant in local time.
func stamp(t provider.Time) string {
	if t.IsZero() {
		return unknown
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
