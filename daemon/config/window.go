package config

import (
	"slices"
	"strings"
	"time"
)

// Windows are times of the week, in a zone.
type Windows struct {
	list []window
	zone *time.Location // nil: that of this machine
	name string         // of the zone, as in the file; empty: that of this machine
}

// A window begins at a time of some days of the week.
type window struct {
	text     string // as in the file
	days     [7]bool
	from, to int // minutes of the day; it ends the next day if to is not after from
}

// IsZero reports whether there is none.
func (w Windows) IsZero() bool { return len(w.list) == 0 }

// Equal reports whether both are the same text in the same zone.
func (w Windows) Equal(v Windows) bool { return w.name == v.name && w.String() == v.String() }

// String is how they are written in the file, without the zone.
func (w Windows) String() string {
	texts := make([]string, len(w.list))
	for i := range w.list {
		texts[i] = w.list[i].text
	}
	return strings.Join(texts, ", ")
}

// maxWindow is how far ahead Until looks: windows that leave no gap have no end.
const maxWindow = 8 * 24 * time.Hour

// Until is the end of the windows that now is in; zero: it is in none. One that begins before
// another ends is part of it.
func (w Windows) Until(now time.Time) time.Time {
	until := now
	for until.Sub(now) < maxWindow {
		next := w.end(until)
		if !next.After(until) {
			break
		}
		until = next
	}
	if until.Equal(now) {
		return time.Time{}
	}
	return until
}

// end is the latest end of the windows that t is in.
func (w Windows) end(t time.Time) (latest time.Time) {
	zone := w.location()
	year, month, day := t.In(zone).Date()
	for i := range w.list {
		for ago := range 3 { // the clock can go back over midnight
			if from, to := w.list[i].on(zone, year, month, day-ago+1); !t.Before(from) && t.Before(to) && to.After(latest) {
				latest = to
			}
		}
	}
	return latest
}

func (w Windows) location() *time.Location {
	if w.zone == nil {
		return time.Local
	}
	return w.zone
}

// on is the window that begins on a day; both are zero if none does.
func (w *window) on(zone *time.Location, year int, month time.Month, day int) (from, to time.Time) {
	date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if !w.days[date.Weekday()] {
		return from, to
	}
	end := w.to
	if end <= w.from {
		end += 24 * 60
	}
	first, _ := instants(date.Add(time.Duration(w.from)*time.Minute), zone)
	_, last := instants(date.Add(time.Duration(end)*time.Minute), zone)
	return first, last
}

// instants are the first and the last moment at which a clock on the wall shows a time, which
// is given as if it were UTC. They differ if the clock is set back over it. If it is set
// forward over it, both are the moment at which that happens.
func instants(wall time.Time, zone *time.Location) (first, last time.Time) {
	const day = 24 * time.Hour // no zone is that far from UTC
	var found []time.Time
	var missed time.Time
	for _, near := range []time.Time{wall.Add(-day), wall.Add(day)} {
		_, offset := near.In(zone).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second)
		if _, there := t.In(zone).Zone(); there == offset {
			found = append(found, t)
		} else if missed.IsZero() {
			missed, _ = t.In(zone).ZoneBounds()
		}
	}
	if len(found) == 0 {
		return missed, missed
	}
	return slices.MinFunc(found, time.Time.Compare), slices.MaxFunc(found, time.Time.Compare)
}
