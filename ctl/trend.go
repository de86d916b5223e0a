package ctl

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// The bars of a trend, the lowest first.
var (
	trendBars      = []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}
	trendBarsASCII = []string{"_", ".", "-", "~", "=", "+", "*", "#"}
)

// trendStep is the ratio between the latencies of one bar and the next smaller one. The lowest
// latency of a row has the smallest bar, so a steady provider is flat, and noise stays low.
const trendStep = 1.5

// Trend shows the last latencies as bars, one in each cell. The lowest has the smallest bar,
// and each step up means half as much again. A latency that was not measured (0) is a blank. If
// none was measured, Trend is empty.
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

// Pulses are the latencies of providers' last probes, as far as their rows were seen. The zero
// value is ready to use.
type Pulses struct{ of map[string]*pulse }

// pulseLength is how many latencies are kept of each provider: as many as a trend can show.
const pulseLength = longTrend

// A pulse is the latencies of one provider, the oldest first.
type pulse struct {
	ms   []float64
	last provider.Time // when the last of them was measured
}

// Take adds the latency of a row's probe, unless it has been added.
func (p *Pulses) Take(s *provider.Status) {
	if p.of == nil {
		p.of = map[string]*pulse{}
	}
	one := p.of[s.ID]
	if one == nil {
		one = &pulse{}
		p.of[s.ID] = one
	}
	if s.CheckedAt.IsZero() || s.CheckedAt.Equal(one.last.Time) {
		return
	}
	one.last = s.CheckedAt
	if one.ms = append(one.ms, s.LatencyMS); len(one.ms) > pulseLength {
		one.ms = slices.Delete(one.ms, 0, len(one.ms)-pulseLength)
	}
}

// Of returns the latencies of a provider in ms, the oldest first; 0 means that none was
// measured.
func (p *Pulses) Of(id string) []float64 {
	if one := p.of[id]; one != nil {
		return one.ms
	}
	return nil
}

// Keep forgets all providers but these.
func (p *Pulses) Keep(these func(id string) bool) {
	maps.DeleteFunc(p.of, func(id string, _ *pulse) bool { return !these(id) })
}
