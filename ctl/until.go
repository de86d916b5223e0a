package ctl

import (
	"strings"
	"time"
)

// untilHelp explains times in the future in the help of a command.
const untilHelp = `--until takes a local time (18:00, tomorrow, "2026-11-27 08:43") or one with its zone
(2026-11-27T08:43:00Z); 18:00 is the next time that a clock shows it.`

// parseUntil is a moment in the future, in the zone of now; zero: it is none. That it is still
// to come is for the caller to check.
func parseUntil(typed string, now time.Time) time.Time {
	text := strings.TrimSpace(typed)
	year, month, day := now.Date()
	if strings.EqualFold(text, "tomorrow") {
		return time.Date(year, month, day+1, 0, 0, 0, 0, now.Location())
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		clock, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		at := time.Date(year, month, day, clock.Hour(), clock.Minute(), clock.Second(), 0, now.Location())
		if !at.After(now) {
			at = time.Date(year, month, day+1, clock.Hour(), clock.Minute(), clock.Second(), 0, now.Location())
		}
		return at
	}
	return dated(text, now.Location())
}
