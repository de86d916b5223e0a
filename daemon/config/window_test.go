package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Times as people mean them: a window that begins when clocks are set forward begins at that
// moment, and one whose time comes twice lasts from its first beginning to its last end.
func TestWindows_Until(t *testing.T) {
	for _, tt := range []struct{ at, zone, now, until string }{ // until is empty outside of the windows
		{"22:00-07:00", "Europe/Berlin", "2026-07-01T21:59:59+02:00", ""},
		{"22:00-07:00", "Europe/Berlin", "2026-07-01T22:00:00+02:00", "2026-07-02T07:00:00+02:00"},
		{"22:00-07:00", "Europe/Berlin", "2026-07-02T06:59:59+02:00", "2026-07-02T07:00:00+02:00"},
		{"22:00-07:00", "Europe/Berlin", "2026-07-02T07:00:00+02:00", ""},
		{"Mon 22:00-07:00", "Europe/Berlin", "2026-07-07T03:00:00+02:00", "2026-07-07T07:00:00+02:00"},
		{"Mon 22:00-07:00", "Europe/Berlin", "2026-07-06T03:00:00+02:00", ""},
		{"Fri-Mon 12:00-24:00", "Europe/Berlin", "2026-07-05T12:00:00+02:00", "2026-07-06T00:00:00+02:00"},
		{"fri-monday,wed 12:00-24:00", "Europe/Berlin", "2026-07-08T12:00:00+02:00", "2026-07-09T00:00:00+02:00"},
		{"Fri-Mon 12:00-24:00", "Europe/Berlin", "2026-07-08T12:00:00+02:00", ""},
		{"Sat 20:00-24:00;Sun 00:00-06:00", "Europe/Berlin", "2026-07-04T21:00:00+02:00", "2026-07-05T06:00:00+02:00"},
		{"22:00-07:00", "Asia/Kolkata", "2026-07-01T16:30:00Z", "2026-07-02T01:30:00Z"},

		{"2:30-4:00", "Europe/Berlin", "2026-03-29T01:59:59+01:00", ""},
		{"2:30-4:00", "Europe/Berlin", "2026-03-29T03:00:00+02:00", "2026-03-29T04:00:00+02:00"},
		{"1:00-2:30", "Europe/Berlin", "2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00"},
		{"2:15-2:45", "Europe/Berlin", "2026-03-29T03:00:00+02:00", ""},
		{"22:00-07:00", "Europe/Berlin", "2026-03-28T22:00:00+01:00", "2026-03-29T07:00:00+02:00"},
		{"2:00-3:00", "Europe/Berlin", "2026-10-25T02:00:00+02:00", "2026-10-25T03:00:00+01:00"},
		{"2:00-3:00", "Europe/Berlin", "2026-10-25T02:59:59+01:00", "2026-10-25T03:00:00+01:00"},
		{"2:15-2:45", "Europe/Berlin", "2026-10-25T02:30:00+02:00", "2026-10-25T02:45:00+01:00"},
		{"2:15-2:45", "Europe/Berlin", "2026-10-25T02:14:00+02:00", ""},
		{"22:00-07:00", "Europe/Berlin", "2026-10-24T22:00:00+02:00", "2026-10-25T07:00:00+01:00"},

		{"2:00-3:00", "America/New_York", "2026-03-08T01:59:59-05:00", ""},
		{"2:00-3:00", "America/New_York", "2026-03-08T03:00:00-04:00", ""},
		{"1:30-2:30", "America/New_York", "2026-03-08T01:45:00-05:00", "2026-03-08T03:00:00-04:00"},
		{"1:00-2:00", "America/New_York", "2026-11-01T01:30:00-04:00", "2026-11-01T02:00:00-05:00"},
		{"1:00-2:00", "America/New_York", "2026-11-01T01:30:00-05:00", "2026-11-01T02:00:00-05:00"},

		{"2:15-3:00", "Australia/Lord_Howe", "2026-10-04T02:30:00+11:00", "2026-10-04T03:00:00+11:00"},
		{"2:00-2:15", "Australia/Lord_Howe", "2026-10-04T02:30:00+11:00", ""},
		{"1:30-2:00", "Australia/Lord_Howe", "2026-04-05T01:30:00+11:00", "2026-04-05T02:00:00+10:30"},
		{"1:30-1:45", "Australia/Lord_Howe", "2026-04-05T01:45:00+11:00", "2026-04-05T01:45:00+10:30"},

		{"23:30-0:30", "America/Havana", "2026-03-07T23:45:00-05:00", "2026-03-08T01:00:00-04:00"},
		{"Sun 0:00-1:00", "America/Havana", "2026-03-08T01:00:00-04:00", ""},
		{"Sun 0:00-1:00", "America/Havana", "2026-11-01T00:30:00-05:00", "2026-11-01T01:00:00-05:00"},
		{"12:00-13:00", "Pacific/Apia", "2011-12-31T11:00:00+14:00", ""},
		{"Fri 12:00-13:00", "Pacific/Apia", "2011-12-31T00:00:00+14:00", ""},
	} {
		at := strings.ReplaceAll(fmt.Sprintf("%q", tt.at), ";", `", "`)
		c := parse(t, notified+fmt.Sprintf("[[maintenance]]\nproviders = [\"*\"]\nat = [%s]\nzone = %q\n", at, tt.zone), env(nil, nil))
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := time.Parse(time.RFC3339, tt.until)
		if got := c.InMaintenance("gpu1", now); !got.Equal(want) {
			t.Errorf("%s in %s at %s: until %s, want %s", tt.at, tt.zone, tt.now, got.In(want.Location()).Format(time.RFC3339), tt.until)
		}
	}
}

// In any week of any zone, a window has no moment in it after its end.
func TestWindows_UntilIsTheFirstMomentOutside(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"} {
		c := parse(t, notified+fmt.Sprintf("[[maintenance]]\nproviders = [\"*\"]\nat = [\"1:30-2:30\", \"Sat,Sun 22:00-1:45\"]\nzone = %q\n", zone), env(nil, nil))
		begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for now := begin; now.Before(begin.AddDate(1, 0, 0)); now = now.Add(15 * time.Minute) {
			until := c.InMaintenance("gpu1", now)
			if until.IsZero() {
				continue
			}
			if !until.After(now) || !c.InMaintenance("gpu1", until).IsZero() || c.InMaintenance("gpu1", until.Add(-time.Second)).IsZero() || until.Sub(now) > 6*time.Hour {
				t.Fatalf("in %s at %s: until %s", zone, now, until)
			}
		}
	}
}
