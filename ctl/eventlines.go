package ctl

import (
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// An eventLayout is how events are shown, one a line.
type eventLayout struct {
	width int  // columns of the screen, to which lines are cut; 0: as wide as it gets
	wide  bool // show all that is known, as wide as it gets
	color bool // colour the states
	ascii bool // use nothing else
	now   time.Time

	ids, from, to int // widths of the aligned columns
}

// alignTo makes room for the events, so that they align with each other and with those
// before them.
func (l *eventLayout) alignTo(events []provider.Event) {
	const ids, states, mostID = 12, 8, 24
	l.ids, l.from, l.to = max(l.ids, ids), max(l.from, states), max(l.to, states)
	for i := range events {
		l.ids = max(l.ids, min(mostID, displayWidth(provider.Printable(events[i].ID))))
		l.from = max(l.from, len(provider.Printable(string(events[i].From))))
		l.to = max(l.to, len(provider.Printable(string(events[i].To))))
	}
	if narrow := l.width > 0 && !l.wide; narrow && l.width < roomForDate {
		l.ids = ids
		if l.width < roomForFrom {
			l.to = states
		}
	}
}

// The least widths of screens that have room for more of an event.
const (
	roomForFrom = 60  // the state before it
	roomForDate = 100 // the date of today
	roomForSeq  = 160 // its number
)

// line shows an event. It is cut to the width of the screen, and what matters least is
// left out first.
func (l eventLayout) line(e *provider.Event) string {
	has := func(room int) bool { return l.width == 0 || l.wide || l.width >= room }
	b := lineBuilder{width: l.width}
	if l.wide {
		b.width = 0
	}
	if l.wide || l.width >= roomForSeq {
		b.add(pad(strconv.FormatUint(e.Seq, 10), len("1800000000000000"))+gap, "")
	}
	id := provider.Printable(e.ID)
	if has(roomForDate) {
		b.add(stamp(e.Time)+gap, "")
	} else {
		b.add(shortStamp(e.Time, l.now)+gap, "")
		id = cut(id, l.ids)
	}
	b.add(pad(id, l.ids)+gap, "")
	if has(roomForFrom) {
		b.add(pad(provider.Printable(string(e.From)), l.from)+arrow(l.ascii), "")
	}
	color := ""
	if l.color {
		color = stateColor(e.To)
	}
	to := provider.Printable(string(e.To))
	b.add(to, color)
	b.add(strings.Repeat(" ", max(0, l.to-displayWidth(to)))+gap+provider.Printable(string(e.Reason)), "")
	if e.LatencyMS > 0 {
		b.add(gap+latency(e.LatencyMS), "")
	}
	if story := storyOf(e.Doubt, e.Detail).String(); story != "" {
		b.add(gap+provider.Printable(story), "")
	}
	if e.Action != nil {
		b.add(gap+provider.Printable(e.Action.String()), "")
	}
	if l.wide && len(e.IDs) > 0 {
		b.add(gap+provider.Printable("("+strings.Join(e.IDs, ", ")+")"), "")
	}
	return b.String()
}

// arrow goes between the old state and the new.
func arrow(ascii bool) string {
	if ascii {
		return " -> "
	}
	return " → "
}

// shortStamp shows a local time as briefly as is clear: the time if it is today, else
// with the day.
func shortStamp(t provider.Time, now time.Time) string {
	const shortest = len("15:04:05")
	if t.IsZero() {
		return pad(unknown, shortest)
	}
	local := t.Local()
	year, month, day := local.Date()
	switch y, m, d := now.Local().Date(); {
	case y == year && m == month && d == day:
		return local.Format(time.TimeOnly)
	case y == year:
		return local.Format("01-02 15:04")
	}
	return local.Format(time.DateOnly)
}

// A lineBuilder builds a line that is cut where the screen ends.
type lineBuilder struct {
	strings.Builder
	width int // columns; 0: any number
	used  int
	full  bool
}

// add appends a text, in a colour if one is given.
func (b *lineBuilder) add(text, color string) {
	if b.full {
		return
	}
	if b.width > 0 && b.used+displayWidth(text) > b.width {
		if trimmed := strings.TrimRight(text, " "); b.used+displayWidth(trimmed) <= b.width {
			text = trimmed // what does not fit shows nothing
		} else {
			text = cut(text, b.width-b.used)
		}
		b.full = true
	}
	b.used += displayWidth(text)
	if color != "" && text != "" {
		text = color + text + colorOff
	}
	b.WriteString(text)
}
