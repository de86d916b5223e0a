package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A strip has a bar for each hour or day. All bars of one state are one path, so that a
// thousand strips are not a hundred thousand elements. The height of a bar is how much of the
// known time the provider was RUNNING, its colour the state for most of the rest.
type strip struct {
	Width int // of the drawing: 4 for each bar
	Paths []stripPath
	Label string // the same in words
}

type stripPath struct{ Tone, D string }

// Heights of bars, of 20.
const (
	barFull    = 20
	barMostly  = 14
	barSeldom  = 8
	barUnknown = 2
)

// A part is one step of a strip: how much of it is known, and how much of the known time the
// provider was RUNNING.
type part struct {
	known, up float64
	open      bool           // it is not over
	otherwise provider.State // the state for most of the rest
}

// stripOf draws the last steps up to now. Steps without a bucket are unknown.
func stripOf(buckets []bucket, now time.Time, step time.Duration, bars int) *strip {
	if len(buckets) == 0 {
		return nil
	}
	end := now.UTC().Truncate(step)
	parts := make([]part, bars)
	for i := range buckets {
		b := &buckets[i]
		back := int(end.Sub(b.Time.UTC().Truncate(step)) / step)
		if at := bars - 1 - back; at >= 0 && at < bars && b.KnownSeconds > 0 {
			parts[at] = part{
				known: b.KnownSeconds / step.Seconds(), up: b.StateSeconds[provider.StateRunning] / b.KnownSeconds, otherwise: mostOf(b.StateSeconds),
			}
		}
	}
	return draw(parts, step)
}

// stripOfRecord draws a provider's entry in the history of all. That lacks the states of each
// step, so all steps have the colour of the most frequent state other than RUNNING. A window
// that began within a step has one step more, which is left out.
func stripOfRecord(r record, step time.Duration, bars int) *strip {
	if len(r.Up) == 0 {
		return nil
	}
	parts, before := make([]part, bars), len(r.Up)-bars
	for i := range parts {
		at := before + i
		if at < 0 || r.Up[at] == nil || at >= len(r.Known) {
			continue
		}
		parts[i] = part{known: r.Known[at], up: *r.Up[at], otherwise: mostOf(r.StateSeconds)}
		if at < len(r.Usable) && r.Usable[at] != nil && *r.Usable[at] >= whole {
			parts[i].otherwise = provider.StateDegraded
		}
	}
	return draw(parts, step)
}

// mostOf is the state other than RUNNING that took the most time.
func mostOf(seconds map[provider.State]float64) provider.State {
	worst, most := provider.StateUnknown, 0.0
	for _, state := range provider.States {
		if s := seconds[state]; state != provider.StateRunning && s > most {
			worst, most = state, s
		}
	}
	return worst
}

// whole is a share that is shown as all.
const whole = 0.999

// leastShown is how much of a bar's time has to be known for a full bar, as in providerctl history.
const leastShown = 0.5

// bar is the class and the height of a part.
func (p part) bar() (string, int) {
	switch {
	case p.known <= 0:
		return "none", barUnknown
	case p.up >= whole && p.known < leastShown && !p.open:
		return "running", barSeldom
	case p.up >= whole:
		return "running", barFull
	case p.up >= 0.5:
		return tone(p.otherwise), barMostly
	}
	return tone(p.otherwise), barSeldom
}

func draw(parts []part, step time.Duration) *strip {
	paths := map[string]*strings.Builder{}
	var known, up float64
	troubled, blank := 0, 0
	for i, p := range parts {
		p.open = i == len(parts)-1
		tone, height := p.bar()
		if paths[tone] == nil {
			paths[tone] = new(strings.Builder)
		}
		fmt.Fprintf(paths[tone], "M%d 20V%d", 4*i+2, barFull-height)
		known += p.known
		up += p.known * p.up
		switch tone {
		case "none":
			blank++
		case "running":
		default:
			troubled++
		}
	}
	s := &strip{Width: 4 * len(parts), Label: stripLabel(step, len(parts), troubled, blank, known, up)}
	for _, tone := range []string{"none", "unknown", "running", "stopped", "starting", "degraded", "error"} {
		if d := paths[tone]; d != nil {
			s.Paths = append(s.Paths, stripPath{tone, d.String()})
		}
	}
	return s
}

func stripLabel(step time.Duration, bars, troubled, blank int, known, up float64) string {
	unit := "hours"
	if step >= 24*time.Hour {
		unit = "days"
	}
	text := fmt.Sprintf("last %d %s: ", bars, unit)
	if known <= 0 {
		return text + "nothing is known"
	}
	text += "up " + percent(up/known)
	if troubled > 0 {
		text += fmt.Sprintf(", with trouble in %d", troubled)
	}
	if blank > 0 {
		text += fmt.Sprintf(", unknown in %d", blank)
	}
	return text
}

// percent shows a ratio, rounded down so that less than all is never 100 %.
func percent(ratio float64) string {
	if ratio >= 1 {
		return "100 %"
	}
	return strconv.FormatFloat(math.Floor(max(0, ratio)*1000+1e-9)/10, 'f', 1, 64) + " %"
}

// The size of a spark line's drawing.
const (
	sparkWidth  = 96.0
	sparkHeight = 40.0
)

// sparkOf draws latencies on a logarithmic scale that spans at least a factor of four, so that a
// steady provider is a flat line. A latency that was not measured (0) is a gap. With fewer than
// two, the path is empty.
func sparkOf(ms []float64) string {
	low, high, n := math.Inf(1), 0.0, 0
	for _, v := range ms {
		if v > 0 {
			low, high, n = min(low, v), max(high, v), n+1
		}
	}
	if n < 2 {
		return ""
	}
	span := max(math.Log(high/low), math.Log(4))
	var b strings.Builder
	const margin = 3 // above and below, for the width of the line
	pen, x, y := "M", 0, 0
	for i, v := range ms {
		if v <= 0 {
			pen = "M"
			continue
		}
		toX := int(sparkWidth * float64(i) / float64(len(ms)-1))
		toY := int(sparkHeight - margin - (sparkHeight-2*margin)*math.Log(v/low)/span)
		if pen == "M" {
			fmt.Fprintf(&b, "M%d %dl", toX, toY)
		} else {
			fmt.Fprintf(&b, "%s%d %d", pen, toX-x, toY-y)
		}
		pen, x, y = " ", toX, toY
	}
	return b.String()
}

// latencies are the medians of buckets, in order.
func latencies(buckets []bucket) []float64 {
	ms := make([]float64, len(buckets))
	for i := range buckets {
		ms[i] = buckets[i].P50
	}
	return ms
}
