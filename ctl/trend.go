package ctl

import (
	"math"
	"strings"
)

// The bars of a trend, the lowest first.
var (
	trendBars      = []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}
	trendBarsASCII = []string{"_", ".", "-", "~", "=", "+", "*", "#"}
)

// trendStep is how much larger a latency is for each bar more. The lowest of a row has the
// smallest bar, so that a steady provider is flat, and noise stays low.
const trendStep = 1.5

// Trend shows the last of some latencies, as many as there are cells, as bars: the lowest
// of them has the smallest bar, and each bar more is half as much again. Where none was
// measured (0) there is a blank. It is empty if none was measured at all.
func Trend(ms []float64, cells int, ascii bool) string {
	ms = ms[max(0, len(ms)-cells):]
	lowest := math.Inf(1)
	for _, v := range ms {
		if v > 0 {
			lowest = min(lowest, v)
		}
	}
	if math.IsInf(lowest, 1) {
		return ""
	}
	bars := trendBars
	if ascii {
		bars = trendBarsASCII
	}
	var b strings.Builder
	for _, v := range ms {
		if !(v > 0) {
			b.WriteByte(' ')
			continue
		}
		step := math.Round(math.Log(v/lowest) / math.Log(trendStep))
		b.WriteString(bars[int(min(step, float64(len(bars)-1)))])
	}
	return b.String()
}
