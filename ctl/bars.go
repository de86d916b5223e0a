package ctl

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A bar is a part of a history: how much of it is known, and how much of the known time the
// provider could be used.
type bar struct {
	known  float64  // of its time
	usable *float64 // nil if nothing is known
	open   bool     // its time is not over
}

// bars are a history from its beginning to now. The last bar is not over.
type bars struct {
	from time.Time
	step time.Duration // of each bar
	cut  bool          // more was asked for than is kept
	all  []bar
}

// barsOf are the bars of one provider. Buckets that are left out are unknown.
func barsOf(h *provider.HistoryReply) bars {
	if h.Window == nil {
		return bars{}
	}
	step := h.Window.StepOf()
	b := bars{from: h.Window.From.Time, step: step}
	if h.Window.KeptFrom.After(b.from) {
		b.from, b.cut = h.Window.KeptFrom.Truncate(step), true
	}
	buckets := h.Buckets
	for at := b.from; !at.After(h.Window.Until.Time) && len(b.all) < maxBars; at = at.Add(step) {
		for len(buckets) > 0 && buckets[0].Time.Before(at) {
			buckets = buckets[1:]
		}
		one := bar{}
		if len(buckets) > 0 && buckets[0].Time.Equal(at) {
			one = bar{known: buckets[0].KnownSeconds / step.Seconds(), usable: buckets[0].Usable()}
		}
		b.all = append(b.all, one)
	}
	return b
}

// maxBars bounds the bars of a reply, whatever it says.
const maxBars = 10_000

// barsAt are the bars of a provider in the history of all.
func barsAt(w *provider.Window, times []provider.Time, h *provider.History) bars {
	b := bars{step: w.StepOf(), cut: !w.KeptFrom.IsZero()}
	if len(times) > 0 {
		b.from = times[0].Time
	}
	for i := range times {
		one := bar{}
		if i < len(h.Usable) && i < len(h.Known) {
			one = bar{known: h.Known[i], usable: h.Usable[i]}
		}
		b.all = append(b.all, one)
	}
	return b
}

// fitted merges steps until there are at most most bars; 0 means any number. The last bar ends
// now, so the first one can have fewer steps.
func (b bars) fitted(most int) bars {
	if most <= 0 || len(b.all) <= most {
		return b
	}
	per := (len(b.all) + most - 1) / most
	short := bars{from: b.from, step: b.step * time.Duration(per), cut: b.cut}
	if first := len(b.all) % per; first > 0 {
		short.from = b.from.Add(-b.step * time.Duration(per-first))
		short.all = append(short.all, merged(b.all[:first]))
		b.all = b.all[first:]
	}
	for ; len(b.all) > 0; b.all = b.all[per:] {
		short.all = append(short.all, merged(b.all[:per]))
	}
	return short
}

// merged is one bar in place of several.
func merged(several []bar) bar {
	known, usable := 0.0, 0.0
	for _, one := range several {
		if one.usable != nil {
			weight := max(one.known, leastKnown)
			known += weight
			usable += weight * *one.usable
		}
	}
	if known <= 0 {
		return bar{}
	}
	share := min(1, usable/known)
	for _, one := range several { // less than all stays less, in spite of rounding
		if one.usable != nil && *one.usable < 1 {
			share = min(share, belowAll)
		}
	}
	return bar{known: known / float64(len(several)), usable: &share}
}

// leastKnown counts for a bar whose known time was rounded to none.
const leastKnown = 0.00005

// belowAll is the largest share that is shown as less than all.
const belowAll = 0.9999

// each is what one bar stands for, in words: "a bar an hour", "a bar for 3 days".
func (b bars) each() string {
	switch {
	case b.step == provider.Hourly:
		return "a bar an hour"
	case b.step == provider.Daily:
		return "a bar a day"
	case b.step%provider.Daily == 0:
		return "a bar for " + plural(int(b.step/provider.Daily), "day")
	}
	return "a bar for " + plural(int(b.step/provider.Hourly), "hour")
}

// The signs of bars. A full one is only for a time in which the provider could be used
// without a break, so that a short outage can be seen.
const (
	barLevels      = "▁▂▃▄▅▆▇█"
	barUnknown     = "·"
	barLevelsASCII = "0123456789#"
	barNoneASCII   = "."
	barPartly      = "░" // usable in most of the known time, which is little
	barPartlyASCII = "~"
)

// leastShown is how much of a bar's time has to be known for a bar that stands for all of it.
const leastShown = 0.5

// sign is the sign of one bar.
func (one bar) sign(ascii bool) string {
	levels, none := []rune(barLevels), barUnknown
	if ascii {
		levels, none = []rune(barLevelsASCII), barNoneASCII
	}
	if one.usable == nil {
		return none
	}
	last := len(levels) - 1
	if !one.open && one.known < leastShown && *one.usable >= 0.5 {
		if ascii {
			return barPartlyASCII
		}
		return barPartly
	}
	if *one.usable >= 1 {
		return string(levels[last])
	}
	return string(levels[max(0, min(last-1, int(*one.usable*float64(last))))])
}

// color is the colour of one bar.
func (one bar) color() string {
	switch {
	case one.usable == nil:
		return dim
	case *one.usable >= 1:
		return green
	case *one.usable >= 0.5:
		return yellow
	}
	return red
}

// text is all of them, in colours if they are wanted.
func (b bars) text(ascii, colored bool) string {
	var text strings.Builder
	last := ""
	for i, one := range b.all {
		one.open = i == len(b.all)-1
		if color := one.color(); colored && color != last {
			if last != "" {
				text.WriteString(colorOff)
			}
			text.WriteString(color)
			last = color
		}
		text.WriteString(one.sign(ascii))
	}
	if last != "" {
		text.WriteString(colorOff)
	}
	return text.String()
}

// legend explains the bars.
func (b bars) legend(ascii bool) string {
	layout := time.DateOnly
	if b.step < provider.Daily {
		layout = "2006-01-02 15:04"
	}
	text := b.each() + " (UTC), from " + b.from.UTC().Format(layout)
	if b.cut {
		text += ", the oldest that is kept"
	}
	if ascii {
		return text + ": # usable all the time, 9 to 0 less, ~ less than half known, . not known"
	}
	return text + ": █ usable all the time, ▇ to ▁ less, ░ less than half known, · not known"
}

// percent shows a share: 100% only for all of it, and 0% only for none.
func percent(share *float64) string {
	switch {
	case share == nil:
		return unknown
	case *share >= 1:
		return "100%"
	case *share <= 0:
		return "0%"
	case *share > 0.999:
		return strconv.FormatFloat(min(99.99, math.Floor(*share*10_000)/100), 'f', 2, 64) + "%"
	case *share < 0.001:
		return "<0.1%"
	}
	return strconv.FormatFloat(*share*100, 'f', 1, 64) + "%"
}
