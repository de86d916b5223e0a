package ctl

import (
	"strconv"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// The columns of a table of histories.
const (
	barsTitle    = "HISTORY"
	upTitle      = "UP"
	usableTitle  = "USABLE"
	p50Title     = "P50"
	p95Title     = "P95"
	p99Title     = "P99"
	outagesTitle = "OUTAGES"
	longestTitle = "LONGEST"
	betweenTitle = "BETWEEN" // the mean time between outages
)

// The first are left out before bars are merged, the least important first; the others, so that
// at least a few bars fit.
var (
	beforeBars = []string{betweenTitle, p99Title, p50Title, longestTitle, p95Title}
	beforeNone = []string{outagesTitle, upTitle}
)

// leastBars is how many bars are worth showing.
const leastBars = 10

// writeAll shows one line for each provider. To fit the screen, columns are left out, then bars
// are merged, and then they are left out too.
func (l historyLayout) writeAll(b *strings.Builder, all *provider.HistoriesReply) {
	g := &grid{
		titles: []string{"ID", barsTitle, upTitle, usableTitle, p50Title, p95Title, p99Title, outagesTitle, longestTitle, betweenTitle},
		right:  []bool{false, false, true, true, true, true, true, true, true, true},
	}
	for i := range all.Providers {
		g.rows = append(g.rows, historyCells(&all.Providers[i]))
	}
	steps := len(all.Times)
	room := l.fit(g, steps)
	if room <= 0 {
		g.remove(barsTitle)
		widths := g.widths()
		widths[0] = l.idWidth(widths[0])
		squeeze(widths, l.width, func(int) int { return 1 })
		b.WriteString(g.text(widths))
		return
	}
	shown := make([]bars, len(all.Providers))
	for i := range shown {
		shown[i] = barsAt(&all.Window, all.Times, &all.Providers[i]).fitted(room)
		g.rows[i][1] = shown[i].text(l.ascii, false)
	}
	if l.color {
		g.style = func(row, column int, cell string) string {
			if column != 1 {
				return cell
			}
			return shown[row].text(l.ascii, true)
		}
	}
	widths := g.widths()
	widths[0] = l.idWidth(widths[0])
	b.WriteString(g.text(widths))
	if len(shown) > 0 {
		_, text := hanging("", shown[0].legend(l.ascii), l.width)
		b.WriteString("\n" + text)
	}
}

// fit removes columns until the table fits, and returns how many bars there is room for, below
// 1 for none.
func (l historyLayout) fit(g *grid, steps int) int {
	if l.width <= 0 {
		return min(steps, pipedBars)
	}
	room := func() int {
		widths := g.widths()
		widths[0], widths[1] = l.idWidth(widths[0]), 0
		return l.width - total(widths)
	}
	for _, title := range beforeBars {
		if room() >= max(steps, len(barsTitle)) {
			break
		}
		g.remove(title)
	}
	for _, title := range beforeNone {
		if room() >= min(max(steps, len(barsTitle)), leastBars) {
			break
		}
		g.remove(title)
	}
	if room() < len(barsTitle) {
		return 0
	}
	return room()
}

// idWidth is how wide the IDs may be.
func (l historyLayout) idWidth(needed int) int {
	const least = 8
	if l.width <= 0 {
		return needed
	}
	return min(needed, max(least, l.width/4))
}

// historyCells is one line, with its bars left empty.
func historyCells(h *provider.History) []string {
	count, longest, between := unknown, unknown, unknown
	if h.UptimeRatio != nil {
		count = "0"
	}
	if o := h.Outages; o != nil && o.Count > 0 {
		count, longest = strconv.Itoa(o.Count), seconds(o.LongestSeconds)
		if o.MeanBetweenSeconds > 0 {
			between = seconds(o.MeanBetweenSeconds)
		}
	}
	return []string{
		provider.Printable(h.ID), "", percent(h.UptimeRatio), percent(h.UsableRatio),
		latency(h.P50MS), latency(h.P95MS), latency(h.P99MS), count, longest, between,
	}
}
