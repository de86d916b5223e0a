package ctl_test

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// --since takes times as people write them. The daemon has an event at each time used
// here, and those that are not older are shown.
func TestSince(t *testing.T) {
	now := time.Now()
	day := func(days int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()-days, 0, 0, 0, 0, now.Location())
	}
	for name, tc := range map[string]struct {
		typed string
		first time.Time // of two moments a minute apart, the earlier that still counts
	}{
		"Hours":           {"2h", now.Add(-2*time.Hour + time.Second)},
		"Minus":           {"-2h", now.Add(-2*time.Hour + time.Second)},
		"Ago":             {"2 hours ago", now.Add(-2*time.Hour + time.Second)},
		"Mixed":           {"1h30m", now.Add(-90*time.Minute + time.Second)},
		"Days":            {"2d", now.Add(-48*time.Hour + time.Second)},
		"DaysAndHours":    {"1d 12h", now.Add(-36*time.Hour + time.Second)},
		"Weeks":           {"1w", now.Add(-168*time.Hour + time.Second)},
		"Today":           {"today", day(0)},
		"Yesterday":       {"Yesterday", day(1)},
		"Date":            {day(3).Format("2006-01-02"), day(3)},
		"DateAndTime":     {day(3).Add(9 * time.Hour).Format("2006-01-02 15:04"), day(3).Add(9 * time.Hour)},
		"AsItIsShown":     {day(3).Add(9 * time.Hour).Format("2006-01-02 15:04:05"), day(3).Add(9 * time.Hour)},
		"OfAnotherZone":   {day(3).UTC().Format(time.RFC3339), day(3)},
		"AsInJSON":        {day(3).UTC().Format("2006-01-02T15:04:05.000Z"), day(3)},
		"TimeOfYesterday": {now.Add(time.Hour).Format("15:04"), now.Add(time.Hour).AddDate(0, 0, -1).Truncate(time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []string
			for i, at := range []time.Time{tc.first.Add(-time.Minute), tc.first} {
				lines = append(lines, `{"seq":`+strconv.Itoa(i+1)+`,"id":"a","time":"`+at.UTC().Format(time.RFC3339Nano)+`"}`)
			}
			d := startDaemon(t, map[string][]reply{"GET /api/events": {stream(lines...)}})
			r := d.run(t, "events", "--since", tc.typed, "-o", "json")
			if r.code != 0 || r.out != lines[1]+"\n" {
				t.Errorf("exit code %d, %q%q, want the second of:\n%s", r.code, r.out, r.err, strings.Join(lines, "\n"))
			}
		})
	}
	for _, typed := range []string{"", "soon", "1h2", "d", "5x", "2026-13-01", "27.11.2026", "-", "ago", "99999d", "1h ago ago"} {
		t.Run("Not/"+typed, func(t *testing.T) {
			run(t.Context(), "events", "--since", typed).want(t, 2, "", "hint: give a time, or the number of an event: --since 1h")
		})
	}
	t.Run("NotInTheFuture", func(t *testing.T) {
		for _, args := range []string{"events --since 2999-01-01", "history a --since 2999-01-01"} {
			run(t.Context(), strings.Fields(args)...).want(t, 2, "", " --since 2999-01-01 is in the future\nproviderctl: hint: give a time in the past")
		}
	})
}
