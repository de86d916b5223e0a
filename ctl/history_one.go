package ctl

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// maxOutages is how many outages of a provider are shown.
const maxOutages = 10

// A historyLayout is how a history is shown.
type historyLayout struct {
	width        int // columns of the screen; 0 for any number
	color, ascii bool
}

func (a *app) historyLayout() historyLayout {
	return historyLayout{a.term.width(), a.term.color, a.term.ascii}
}

// write shows one provider's history: how much of the time it was up, bars, latencies, and
// outages.
func (l historyLayout) write(b *strings.Builder, h *provider.HistoryReply) {
	_, text := hanging("", provider.Printable(h.ID)+": "+uptime(h), l.width)
	b.WriteString(text)
	if line, legend := l.bars(barsOf(h)); line != "" {
		b.WriteString(pad("  usable", labels) + line + "\n")
		l.pair(b, "", legend)
	}
	if h.Probed != nil && h.Probed.Probes > 0 {
		l.pair(b, "latency", latencies(h.Probed))
	}
	if h.Outages == nil || h.Outages.Count == 0 {
		return
	}
	l.pair(b, "outages", outages(h.Outages))
	last := h.Outages.Last[max(0, len(h.Outages.Last)-maxOutages):]
	if more := h.Outages.Count - len(last); more > 0 && len(last) > 0 {
		l.pair(b, "", fmt.Sprintf("the last %d:", len(last)))
	}
	for i := range last {
		l.pair(b, "", outage(&last[i], h.Window))
	}
}

// pipedBars is how many bars are shown if there is no screen to fit them on.
const pipedBars = 100

// labels is how wide the labels of a history are.
const labels = len("  outages  ")

// pair is text beside a label or, without a label, below the previous text.
func (l historyLayout) pair(b *strings.Builder, name, text string) {
	if text == "" {
		return
	}
	label := pad("  "+name, labels)
	if name == "" && l.narrow() {
		label = "  "
	}
	label, text = hanging(label, text, l.width)
	b.WriteString(label + text)
}

// narrow reports whether labels and their texts do not fit beside each other.
func (l historyLayout) narrow() bool { return l.width > 0 && l.width < labels+20 }

// bars is a line of bars, as many as fit, and a text that explains them.
func (l historyLayout) bars(all bars) (line, legend string) {
	if len(all.all) == 0 {
		return "", ""
	}
	room := pipedBars
	if l.width > 0 {
		room = max(1, l.width-labels)
	}
	all = all.fitted(room)
	return all.text(l.ascii, l.color), all.legend(l.ascii)
}

// latencies sums up the latencies of probes.
func latencies(p *provider.Probed) string {
	text := fmt.Sprintf("p50 %s, p95 %s, p99 %s", latency(p.P50MS), latency(p.P95MS), latency(p.P99MS))
	if p.P50MS <= 0 {
		text = "no probe was answered"
	}
	return text + " (" + plural(int(p.Probes), "probe") + ", " + strconv.FormatUint(p.OK, 10) + " ok)"
}

// outages sums up: "4, 12h in all, the longest 9h, mean time between them 6d".
func outages(o *provider.Outages) string {
	text := strconv.Itoa(o.Count) + ", "
	if o.Count > 1 {
		text += seconds(o.Seconds) + " in all, "
	}
	text += "the longest " + seconds(o.LongestSeconds)
	if o.MeanBetweenSeconds > 0 {
		text += ", mean time between " + seconds(o.MeanBetweenSeconds)
	}
	return text
}

// outage is one outage: "2026-11-20 08:11:02  3m  STOPPED (connection_refused)".
func outage(o *provider.Outage, w *provider.Window) string {
	text := stamp(o.Began) + gap + pad(seconds(o.Seconds), 4) + gap + provider.Printable(fmt.Sprintf("%s (%s)", o.State, o.Reason))
	if o.Ended.IsZero() {
		text += ", not over"
	}
	if w != nil && !o.Began.After(w.From.Time) {
		text += ", began earlier"
	}
	return text
}

func seconds(n float64) string { return span(time.Duration(n * float64(time.Second))) }

// uptime sums a history up: "up 98.2%, usable 99.1% since …: RUNNING 3h, STOPPED 2m".
func uptime(h *provider.HistoryReply) string {
	var parts []string
	for _, state := range provider.States {
		if n := h.StateSeconds[state]; n > 0 {
			parts = append(parts, string(state)+" "+seconds(n))
		}
	}
	text := "nothing is known yet"
	if h.UptimeRatio != nil {
		text = "up " + percent(h.UptimeRatio)
	}
	if h.UsableRatio != nil {
		text += ", usable " + percent(h.UsableRatio)
	}
	if !h.Since.IsZero() {
		text += " since " + stamp(h.Since)
		if n := h.Until().Sub(h.Since.Time).Seconds() - h.KnownSeconds; n >= 1 {
			parts = append(parts, "not known "+seconds(n))
		}
	}
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	return text
}
