package config

import (
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // 0.4 MiB of the binary, for Windows and for containers without tzdata
)

// week are the days as they are written, in the order of time.Weekday.
var week = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

// windows reads times of the week, one or a list of them, and their zone. whole is what to do
// instead of naming the whole week.
func (t *table) windows(key, zoneKey, example, whole string) Windows {
	w := Windows{}
	w.zone, w.name = t.zone(zoneKey)
	if !t.has(key) {
		if t.values[zoneKey] != nil {
			t.reject(t.name(zoneKey), flawf("leave it out, or write "+example, "%s is of no use without %s", zoneKey, key))
		}
		return Windows{}
	}
	texts, at := []string{""}, func(int) span { return t.at(key) }
	if one, ok := t.values[key].(string); ok {
		texts[0] = one
	} else if texts, ok = list[string](t, key, example); !ok {
		return Windows{}
	} else {
		at = func(i int) span { return t.elem(key, i) }
	}
	for i, text := range texts {
		one, f := parseWindow(text, example)
		if f != nil {
			t.reject(at(i), f)
			return Windows{}
		}
		w.list = append(w.list, one)
	}
	// In this week no zone changes its clocks; it does not matter which one it is.
	if monday := time.Date(2024, 1, 15, 0, 0, 0, 0, w.location()); w.Until(monday).Sub(monday) > 7*24*time.Hour {
		t.reject(t.at(key), flawf(whole, "%s is the whole week", key))
	}
	return w
}

// zone reads a time zone; nil: that of this machine.
func (t *table) zone(key string) (*time.Location, string) {
	name, ok := t.text(key, key+` = "Europe/Berlin"`)
	if !ok {
		return nil, ""
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		t.reject(t.at(key), flawf("write "+key+` = "Europe/Berlin", or leave it out for the zone of this machine`,
			"%s is %s: not the name of a time zone", key, quote(name)))
		return nil, ""
	}
	return zone, name
}

// parseWindow reads "22:00-07:00", "Sun 02:00-04:00" or "Mon-Fri,Sun 12:00-13:30".
func parseWindow(text, example string) (window, *flaw) {
	w := window{text: text}
	fields := strings.Fields(text)
	if len(fields) == 0 || len(fields) > 2 {
		return w, notWindow(text, example)
	}
	if w.days = [7]bool{true, true, true, true, true, true, true}; len(fields) == 2 {
		var f *flaw
		if w.days, f = parseDays(fields[0]); f != nil {
			return w, f
		}
	}
	from, to, ok := strings.Cut(fields[len(fields)-1], "-")
	if !ok {
		return w, notWindow(text, example)
	}
	var okFrom, okTo bool
	w.from, okFrom = minuteOf(from)
	w.to, okTo = minuteOf(to)
	switch {
	case !okFrom || !okTo || w.from == 24*60:
		return w, notWindow(text, example)
	case w.from == w.to:
		return w, flawf("for a whole day write 00:00-24:00", "%s ends when it begins", quote(text))
	}
	return w, nil
}

func notWindow(text, example string) *flaw {
	return flawf("write "+example+"; days can be a list and a range: Mon-Fri,Sun", "%s is not a time of the day", quote(text))
}

// parseDays reads "Sun", "Mon-Fri" or "Mon,Wed,Fri-Sun".
func parseDays(text string) (days [7]bool, f *flaw) {
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, to := dayOf(first), dayOf(last)
		for _, d := range []struct {
			n    int
			text string
		}{{from, first}, {to, last}} {
			if d.n < 0 {
				return days, flawf(didYouMean(d.text, week), "unknown day %s", quote(d.text))
			}
		}
		for d := from; ; d = (d + 1) % 7 {
			days[d] = true
			if d == to {
				break
			}
		}
	}
	return days, nil
}

// dayOf accepts the English names of days, whole or their first three letters.
func dayOf(text string) int {
	return slices.IndexFunc(week, func(name string) bool {
		return strings.EqualFold(text, name) || strings.EqualFold(text, time.Weekday(slices.Index(week, name)).String())
	})
}

// minuteOf is the minute of the day that "22:00" is; the last one is 24:00.
func minuteOf(text string) (int, bool) {
	hour, minute, ok := strings.Cut(text, ":")
	h, err1 := strconv.ParseUint(hour, 10, 8)
	m, err2 := strconv.ParseUint(minute, 10, 8)
	if !ok || err1 != nil || err2 != nil || len(hour) > 2 || len(minute) != 2 || h > 24 || m > 59 || h == 24 && m > 0 {
		return 0, false
	}
	return int(h*60 + m), true
}
