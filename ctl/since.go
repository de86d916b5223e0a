package ctl

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// A since is where to begin: after an event, by its number, or at a time. The zero since
// is the beginning.
type since struct {
	typed string // empty: not given
	seq   uint64
	at    time.Time // zero: seq counts
}

// sinceHelp explains [sinceFlag] in the help of a command.
const sinceHelp = `--since takes an age (90s, 1h30m, 2d), a local time (2026-11-27,
"2026-11-27 08:43", 08:43, today, yesterday), a time with its zone
(2026-11-27T08:43:00Z), or the number of an event (seq).`

// sinceExamples are ways to give it.
const sinceExamples = `--since 1h, --since 2026-11-27, --since "2026-11-27 08:43"`

// errNoMoment is the error for text that is not a moment.
var errNoMoment = errors.New("neither a time nor the number of an event")

// parseSince parses what was typed; its times are in the zone of now.
func parseSince(typed string, now time.Time) (since, error) {
	text := strings.TrimSpace(typed)
	s := since{typed: typed}
	var err error
	if s.seq, err = strconv.ParseUint(text, 10, 64); err == nil {
		return s, nil
	}
	if d, ok := parseSpan(strings.TrimPrefix(strings.TrimSuffix(text, " ago"), "-")); ok {
		s.at = now.Add(-d)
		return s, nil
	}
	year, month, day := now.Date()
	switch strings.ToLower(text) {
	case "today":
		s.at = time.Date(year, month, day, 0, 0, 0, 0, now.Location())
		return s, nil
	case "yesterday":
		s.at = time.Date(year, month, day-1, 0, 0, 0, 0, now.Location())
		return s, nil
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		clock, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		s.at = time.Date(year, month, day, clock.Hour(), clock.Minute(), clock.Second(), 0, now.Location())
		if s.at.After(now) { // the last time that a clock showed this
			s.at = time.Date(year, month, day-1, clock.Hour(), clock.Minute(), clock.Second(), 0, now.Location())
		}
		return s, nil
	}
	if s.at = dated(text, now.Location()); !s.at.IsZero() {
		return s, nil
	}
	return since{}, errNoMoment
}

// dated is a moment with its date, in a zone if it names none; zero: it is none.
func dated(text string, zone *time.Location) time.Time {
	for _, layout := range []string{
		time.DateOnly, "2006-01-02 15:04", time.DateTime, "2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00",
	} {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at
		}
	}
	return time.Time{}
}

// parseSpan parses an age as [time.ParseDuration] does, but also in days and weeks, and
// with the units' names.
func parseSpan(text string) (sum time.Duration, ok bool) {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, true
	}
	const most = 10_000 // of any unit
	for text != "" {
		digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
		n, err := strconv.Atoi(text[:digits])
		text = text[digits:]
		end := strings.IndexAny(text, "0123456789")
		if end < 0 {
			end = len(text)
		}
		unit := unitOf(text[:end])
		switch word := strings.ToLower(strings.TrimSpace(text[:end])); word {
		case "w", "week", "weeks":
			unit = 7 * 24 * time.Hour
		case "":
			unit = 0
		}
		if err != nil || n > most || unit == 0 {
			return 0, false
		}
		sum += time.Duration(n) * unit
		text = text[end:]
	}
	return sum, sum > 0
}

// sinceFlag is the value of --since.
type sinceFlag struct {
	since
	now func() time.Time
}

// sinceFlag adds the flag to a command.
func (a *app) sinceFlag(cmd *command.Command, usage string) *sinceFlag {
	f := &sinceFlag{now: func() time.Time { return a.now() }}
	cmd.Flags().Var(f, "since", usage)
	return f
}

func (f *sinceFlag) String() string { return f.typed }
func (f *sinceFlag) Type() string   { return "WHEN" }

func (f *sinceFlag) Set(text string) (err error) {
	f.since, err = parseSince(text, f.now().Local())
	return err
}

// check refuses a time in the future, which can only be a mistake.
func (f *sinceFlag) check(cmd *command.Command) error {
	if f.at.After(f.now()) {
		return usage("give a time in the past, for example: "+sinceExamples, "%s: --since %s is in the future", cmd.Name(), f.typed)
	}
	return nil
}

// given reports whether the flag was given.
func (s since) given() bool { return s.typed != "" }

// from is the number after which events are requested. Nil means all of them, because
// only the events themselves have their times.
func (s since) from() *uint64 {
	if !s.given() || !s.at.IsZero() {
		return nil
	}
	return &s.seq
}

// before reports whether an event is older than that.
func (s since) before(e *provider.Event) bool {
	if s.at.IsZero() {
		return e.Seq <= s.seq && s.given()
	}
	return e.Time.Before(s.at)
}
