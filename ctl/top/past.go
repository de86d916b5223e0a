package top

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// pulseLength is how many latencies a trend can show.
const pulseLength = 24

// A pulse is the last latencies of a provider that were seen, the oldest first.
type pulse struct {
	ms   []float64
	last provider.Time // when the last of them was measured
}

// beat takes the latency of a row's probe, unless it has it already.
func (m *model) beat(s *provider.Status) {
	p := m.pulses[s.ID]
	if p == nil {
		p = &pulse{}
		m.pulses[s.ID] = p
	}
	if s.CheckedAt.IsZero() || s.CheckedAt.Equal(p.last.Time) {
		return
	}
	p.last = s.CheckedAt
	if p.ms = append(p.ms, s.LatencyMS); len(p.ms) > pulseLength {
		p.ms = slices.Delete(p.ms, 0, len(p.ms)-pulseLength)
	}
}

// pulse is what the trend shows: the medians of the last hours, if the daemon keeps them,
// and then the probes that were seen since.
func (m *model) pulse(id string) []float64 {
	var seen []float64
	if p := m.pulses[id]; p != nil {
		seen = p.ms
	}
	if hours := m.past[id].p50; len(hours) > 0 {
		return append(slices.Clone(hours), seen[max(0, len(seen)-1):]...)
	}
	return seen
}

func (m *model) uptime(id string) (ratio float64, known bool) {
	d, known := m.past[id]
	return d.up, known && d.known
}

// A day is what a daemon's history says of a provider's last 24 hours.
type day struct {
	p50   []float64 // of each hour, the oldest first; 0: there was no probe
	up    float64   // how much of the known time it was RUNNING
	known bool      // some time is known
}

// pastPath is the route of all providers' last day, in hours. An older daemon does not
// have it.
const pastPath = "/api/history?window=24h&step=1h"

// A pastReply is the part of its reply that is shown.
type pastReply struct {
	Providers []struct {
		ID      string       `json:"id"`
		Buckets []pastBucket `json:"buckets"`
	} `json:"providers"`
}

type pastBucket struct {
	Known  float64                    `json:"known_seconds"`
	States map[provider.State]float64 `json:"state_seconds"`
	P50    float64                    `json:"p50_ms"`
}

// askPast reads the history. The columns that come from it are left out if that fails.
func askPast(ctx context.Context, c *client.Client) map[string]day {
	body, err := c.Do(ctx, client.Request{Path: pastPath})
	if err != nil {
		return nil
	}
	return readPast(body)
}

func readPast(body []byte) map[string]day {
	var reply pastReply
	if err := json.Unmarshal(body, &reply); err != nil {
		return nil
	}
	past := make(map[string]day, len(reply.Providers))
	for _, p := range reply.Providers {
		var d day
		var known, up float64
		for _, b := range p.Buckets {
			d.p50 = append(d.p50, b.P50)
			known += b.Known
			up += b.States[provider.StateRunning]
		}
		if d.known = known > 0; d.known {
			d.up = min(1, up/known)
		}
		past[p.ID] = d
	}
	return past
}
