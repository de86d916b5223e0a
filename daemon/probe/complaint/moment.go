package complaint

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// When reads when to come back, as a wait from now on by the provider's clock, in any form
// that servers send: a number of units, seconds or less since 1970, a duration ("6m0s",
// "PT36S", "00:01:30"), or a moment. ok is false for what cannot be read, and for a
// negative number. A moment counts even if it has just passed, because clocks differ.
func When(v string, unit time.Duration, now time.Time) (wait time.Duration, ok bool) {
	v = strings.Trim(v, " \t\"")
	if v == "" {
		return 0, false
	}
	if n, ok := number(v); ok {
		return readNumber(n, unit, now)
	}
	if d, ok := readDuration(v); ok {
		return d, d >= 0
	}
	if at, ok := readMoment(v); ok {
		return atLeastSoonest(at.Sub(now)), true
	}
	return 0, false
}

const year = 365 * 24 * time.Hour

// epochs are the units of a time since 1970, by the size of the number.
var epochs = [...]struct {
	below float64 // some thousand years after 1970
	unit  time.Duration
}{{1e11, time.Second}, {1e14, time.Millisecond}, {1e17, time.Microsecond}, {1e20, time.Nanosecond}}

// readNumber reads a number as a wait, unless that would be more than a year. Then it is a
// time since 1970, in seconds, milliseconds, microseconds or nanoseconds.
func readNumber(n float64, unit time.Duration, now time.Time) (time.Duration, bool) {
	if n < 0 {
		return 0, false
	}
	if n*float64(unit) <= float64(year) {
		return scaled(n, unit), true
	}
	for _, e := range epochs {
		if n < e.below {
			left := n - float64(now.UnixNano())/float64(e.unit)
			return atLeastSoonest(scaled(left, e.unit)), true
		}
	}
	return latest, true
}

// readDuration reads durations of Go, of ISO 8601 and of clocks, and those in words.
func readDuration(v string) (time.Duration, bool) {
	if d, err := time.ParseDuration(v); err == nil {
		return d, true
	}
	if d, ok := isoDuration(v); ok {
		return d, true
	}
	if d, ok := clockDuration(v); ok {
		return d, true
	}
	d, rest := wordedDuration(strings.ToLower(v))
	return d, d > 0 && strings.Trim(rest, " .") == ""
}

// isoDuration reads "PT1M30.5S" and "P1DT2H". Months and years are not read.
func isoDuration(v string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(strings.ToUpper(v), "P")
	if !ok || rest == "" || rest == "T" {
		return 0, false
	}
	days, hours, _ := strings.Cut(rest, "T")
	var sum time.Duration
	for _, part := range [...]struct{ text, units string }{{days, "WD"}, {hours, "HMS"}} {
		for part.text != "" {
			end := strings.IndexAny(part.text, part.units)
			if end < 0 {
				return 0, false
			}
			n, ok := number(strings.ReplaceAll(part.text[:end], ",", "."))
			if !ok || n < 0 {
				return 0, false
			}
			sum = min(sum+scaled(n, isoUnits[part.text[end]]), latest)
			part.text = part.text[end+1:]
		}
	}
	return sum, true
}

var isoUnits = map[byte]time.Duration{
	'W': 7 * 24 * time.Hour, 'D': 24 * time.Hour, 'H': time.Hour, 'M': time.Minute, 'S': time.Second,
}

// clockDuration reads "00:00:45" and, as .NET writes days, "1.17:34:12".
func clockDuration(v string) (time.Duration, bool) {
	parts := strings.Split(v, ":")
	if len(parts) != 3 {
		return 0, false
	}
	var sum time.Duration
	if days, hours, ok := strings.Cut(parts[0], "."); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, false
		}
		sum, parts[0] = scaled(float64(n), 24*time.Hour), hours
	}
	for i, unit := range [...]time.Duration{time.Hour, time.Minute, time.Second} {
		n, ok := number(parts[i])
		if !ok || n < 0 || parts[i][0] > '9' {
			return 0, false
		}
		sum = min(sum+scaled(n, unit), latest)
	}
	return sum, true
}

// moments are the forms of a moment besides RFC 3339 and HTTP's own three. Without a zone
// it is in UTC.
var moments = [...]string{
	"Mon, 2 Jan 2006 15:04:05 Z07:00",
	"Mon, 2 Jan 2006 15:04:05 -0700",
	"Mon, 2 Jan 2006 15:04:05 MST",
	"Mon Jan 2 2006 15:04:05 GMT-0700", // JavaScript's
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04Z07:00",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05 Z07:00",
	"2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05 -0700 MST", // Go's
	"2006-01-02 15:04:05 MST",
	"2006-01-02 15:04 MST",
	"2006-01-02 at 15:04 MST", // Anthropic's prose
	"2006-01-02 15:04:05",
}

// readMoment reads a moment. A zone that is only a name must be UTC's: Go treats any other
// as UTC too.
func readMoment(v string) (time.Time, bool) {
	if at, err := http.ParseTime(v); err == nil {
		return at, true
	}
	if at, err := time.Parse(time.RFC3339, strings.ToUpper(v)); err == nil {
		return at, true
	}
	v, _, _ = strings.Cut(v, " (") // the zone's name again
	for _, layout := range moments {
		at, err := time.Parse(layout, v)
		if err != nil {
			continue
		}
		if name, offset := at.Zone(); strings.HasSuffix(layout, "MST") && offset == 0 && name != "UTC" && name != "GMT" && name != "" {
			return time.Time{}, false
		}
		return at, true
	}
	return time.Time{}, false
}

// number reads a finite decimal number.
func number(v string) (float64, bool) {
	if v == "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(v, 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

// scaled is n units, between 0 and latest.
func scaled(n float64, unit time.Duration) time.Duration {
	if n <= 0 {
		return 0
	}
	return time.Duration(min(n*float64(unit), float64(latest)))
}

// atLeastSoonest: a moment that has just passed still counts, because clocks differ.
func atLeastSoonest(d time.Duration) time.Duration { return max(d, soonest) }
