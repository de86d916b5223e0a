package page

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A strip is a bar for each hour or day. All bars of one state are one path, so that a
// thousand strips are not a hundred thousand elements. The height of a bar says how much of
// the known time the provider was RUNNING, its colour what it was otherwise.
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

// stripOf draws the last so many steps up to now. Steps without a bucket are unknown.
func stripOf(buckets []bucket, now time.Time, step time.Duration, bars int) *strip {
	if len(buckets) == 0 {
		return nil
	}
	end := now.UTC().Truncate(step)
	places := make([]*bucket, bars)
	for i := range buckets {
		back := int(end.Sub(buckets[i].Time.Truncate(step)) / step)
		if at := bars - 1 - back; at >= 0 && at < bars {
			places[at] = &buckets[i]
		}
	}
	paths := map[string]*strings.Builder{}
	var known, up float64
	troubled, blank := 0, 0
	for i, b := range places {
		tone, height := barOf(b)
		if paths[tone] == nil {
			paths[tone] = new(strings.Builder)
		}
		fmt.Fprintf(paths[tone], "M%d 20V%d", 4*i+2, barFull-height)
		if tone == "none" {
			blank++
			continue
		}
		known += knownOf(b)
		up += b.StateSeconds[provider.StateRunning]
		if tone != "running" {
			troubled++
		}
	}
	s := &strip{Width: 4 * bars}
	for _, tone := range []string{"none", "unknown", "running", "stopped", "starting", "degraded", "error"} {
		if d := paths[tone]; d != nil {
			s.Paths = append(s.Paths, stripPath{tone, d.String()})
		}
	}
	s.Label = stripLabel(step, bars, troubled, blank, known, up)
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

// knownOf is how much time of a bucket is known.
func knownOf(b *bucket) float64 {
	if b.KnownSeconds > 0 {
		return b.KnownSeconds
	}
	sum := 0.0
	for _, seconds := range b.StateSeconds {
		sum += seconds
	}
	return sum
}

// barOf is the class and the height of one bar.
func barOf(b *bucket) (string, int) {
	const whole = 0.999
	if b == nil || knownOf(b) <= 0 {
		return "none", barUnknown
	}
	up := b.StateSeconds[provider.StateRunning] / knownOf(b)
	if up >= whole {
		return "running", barFull
	}
	worst, most := provider.StateUnknown, 0.0
	for _, state := range provider.States {
		if seconds := b.StateSeconds[state]; state != provider.StateRunning && seconds > most {
			worst, most = state, seconds
		}
	}
	if up >= 0.5 {
		return tone(worst), barMostly
	}
	return tone(worst), barSeldom
}

// uptimeOf is the share of RUNNING in the known time of buckets; empty if none is known.
func uptimeOf(buckets []bucket) string {
	var known, up float64
	for i := range buckets {
		known += knownOf(&buckets[i])
		up += buckets[i].StateSeconds[provider.StateRunning]
	}
	if known <= 0 {
		return ""
	}
	return percent(up / known)
}

// percent shows a ratio rounded down, so that only what is whole is 100 %.
func percent(ratio float64) string {
	if ratio >= 1 {
		return "100 %"
	}
	return strconv.FormatFloat(math.Floor(max(0, ratio)*1000+1e-9)/10, 'f', 1, 64) + " %"
}

// Size of a spark line's drawing.
const (
	sparkWidth  = 96.0
	sparkHeight = 40.0
)

// sparkOf draws latencies on a logarithmic scale that spans at least a factor of four, so that a
// steady provider is a flat line. Where none was measured (0) there is a gap. It is empty for
// fewer than two.
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

// quantiles are the largest p50, p95 and p99 that are typical of the buckets: of each, the
// median over the buckets that have it.
func quantiles(buckets []bucket) (p50, p95, p99 float64) {
	middle := func(of func(*bucket) float64) float64 {
		var all []float64
		for i := range buckets {
			if v := of(&buckets[i]); v > 0 {
				all = append(all, v)
			}
		}
		if len(all) == 0 {
			return 0
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return middle(func(b *bucket) float64 { return b.P50 }), middle(func(b *bucket) float64 { return b.P95 }), middle(func(b *bucket) float64 { return b.P99 })
}
